// The pipes of a child process that speaks the wire format on its standard input and output: the
// `host` target, or a cross-built program under an emulator. The program ignores SIGPIPE
// (install_interrupt_handler does), so that a child that died is an error value. One thread.
#pragma once

#include <memory>

#include "boards/link/fd_link.hpp"
#include "harness/core/process.hpp"

namespace assay {

class PipeLink : public FdLink {
 public:
  /// Starts the program; it is stopped when the link dies. `name` is for messages ("host").
  /// Errors: infrastructure when it cannot be started.
  static Result<std::unique_ptr<Link>> start(const ProcessSpec& program, std::string name);

 private:
  PipeLink(ChildProcess child, std::string name)
      : FdLink(std::move(name)), child_(std::move(child)) {}
  ChildProcess child_;
};

}  // namespace assay
