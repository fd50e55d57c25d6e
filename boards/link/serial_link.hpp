// A serial port of a real board, over libserialport: raw, 8 data bits, no parity, 1 stop bit, no
// flow control. One thread.
#pragma once

#include <filesystem>
#include <memory>

#include "boards/link/fd_link.hpp"
#include "harness/core/units.hpp"

struct sp_port;

namespace assay {

class SerialLink : public FdLink {
 public:
  /// Opens and configures the port and keeps what is already waiting in it (the boot banner).
  /// `name` is for messages ("f405-lab"). Errors: infrastructure, with libserialport's reason
  /// (absent, busy, no permission, a rate the adapter refuses).
  static Result<std::unique_ptr<Link>> open(const std::filesystem::path& device, Baud baud,
                                            std::string name);
  ~SerialLink() override;
  SerialLink(const SerialLink&) = delete;
  SerialLink& operator=(const SerialLink&) = delete;

 private:
  SerialLink(sp_port* port, std::string name) : FdLink(std::move(name)), port_(port) {}
  Status configure(Baud baud);
  sp_port* port_;
};

}  // namespace assay
