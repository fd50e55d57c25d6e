#include "boards/link/uart_link.hpp"

#include "boards/link/pty_link.hpp"
#include "boards/link/serial_link.hpp"

namespace assay {

Result<std::unique_ptr<Link>> open_uart(const std::filesystem::path& path, Baud baud,
                                        std::string name) {
  std::error_code ignored;  // a path that cannot be resolved is refused by open()
  std::filesystem::path device = std::filesystem::canonical(path, ignored);
  if (ignored) device = path;
  if (device.parent_path() == "/dev/pts") return PtyLink::open(device, std::move(name));
  return SerialLink::open(device, baud, std::move(name));
}

}  // namespace assay
