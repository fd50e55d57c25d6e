#include "tests/support/tty_speed.hpp"

// Not <termios.h>: the C library's struct hides the speed behind its own constants.
#include <asm/ioctls.h>
#include <asm/termbits.h>

extern "C" int ioctl(int fd, unsigned long request, ...);

namespace assay::test {

long tty_speed(int fd) {
  termios2 settings{};
  return ioctl(fd, TCGETS2, &settings) == 0 ? static_cast<long>(settings.c_ospeed) : -1;
}

}  // namespace assay::test
