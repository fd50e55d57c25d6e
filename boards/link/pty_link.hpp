// A pseudo-terminal as a plain byte stream: the UART of a virtual board. One thread.
#pragma once

#include <filesystem>
#include <memory>

#include "boards/link/fd_link.hpp"

namespace assay {

class PtyLink : public FdLink {
 public:
  /// Opens the slave side in raw mode and keeps what is already waiting in it (the boot banner).
  /// `name` is for messages ("virtual:f405-a"). Errors: infrastructure.
  static Result<std::unique_ptr<Link>> open(const std::filesystem::path& path, std::string name);
  ~PtyLink() override;
  PtyLink(const PtyLink&) = delete;
  PtyLink& operator=(const PtyLink&) = delete;

 private:
  PtyLink(int fd, std::string name) : FdLink(std::move(name)), fd_(fd) {}
  int fd_;
};

}  // namespace assay
