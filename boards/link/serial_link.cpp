#include "boards/link/serial_link.hpp"

#include <fmt/core.h>
#include <libserialport.h>

#include <memory>

namespace assay {

namespace {

/// libserialport's own words for its latest failure.
std::string reason(sp_return code) {
  switch (code) {
    case SP_ERR_ARG:
      return "no such serial port";
    case SP_ERR_MEM:
      return "out of memory";
    case SP_ERR_SUPP:
      return "the port does not support it";
    default: {
      std::unique_ptr<char, void (*)(char*)> text(sp_last_error_message(), sp_free_error_message);
      return text ? text.get() : "unknown reason";
    }
  }
}

}  // namespace

Result<std::unique_ptr<Link>> SerialLink::open(const std::filesystem::path& device, Baud baud,
                                               std::string name) {
  sp_port* port = nullptr;
  sp_return code = sp_get_port_by_name(device.c_str(), &port);
  if (code != SP_OK)
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot open {} of {}: {}; is the board plugged in?", device.string(),
                            name, reason(code)));
  std::unique_ptr<SerialLink> link(new SerialLink(port, std::move(name)));
  code = sp_open(port, SP_MODE_READ_WRITE);
  if (code != SP_OK)
    return fail(ErrorKind::infrastructure, fmt::format("cannot open {} of {}: {}", device.string(),
                                                       link->name(), reason(code)));
  ASSAY_CHECK(link->configure(baud));
  return link;
}

Status SerialLink::configure(Baud baud) {
  const std::string rate = fmt::format("{} baud", baud.count());
  const struct {
    const char* what;
    sp_return code;
  } steps[] = {
      {rate.c_str(), sp_set_baudrate(port_, static_cast<int>(baud.count()))},
      {"8 data bits", sp_set_bits(port_, 8)},
      {"no parity", sp_set_parity(port_, SP_PARITY_NONE)},
      {"1 stop bit", sp_set_stopbits(port_, 1)},
      {"no flow control", sp_set_flowcontrol(port_, SP_FLOWCONTROL_NONE)},
  };
  for (const auto& step : steps)
    if (step.code != SP_OK)
      return fail(ErrorKind::infrastructure,
                  fmt::format("{} refuses {}: {}", name(), step.what, reason(step.code)));
  int fd = -1;
  if (sp_get_port_handle(port_, &fd) != SP_OK)
    return fail(ErrorKind::infrastructure, fmt::format("{} has no descriptor", name()));
  return attach(fd, fd);
}

SerialLink::~SerialLink() {
  sp_close(port_);
  sp_free_port(port_);
}

}  // namespace assay
