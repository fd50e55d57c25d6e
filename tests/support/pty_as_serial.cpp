// Linked into a test, makes libserialport take pseudo-terminals for serial ports, so that its real
// code can be tested without hardware. libserialport looks a device up in /sys/class/tty and asks
// for modem lines; a pty has neither. These definitions stand before the C library's.
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <string_view>

namespace {

bool is_pty_entry(const char* path) {
  return std::string_view(path).starts_with("/sys/class/tty/pts/");
}

}  // namespace

extern "C" {

/// The symbol behind lstat() in programs built against C libraries before 2.33, libserialport among
/// them.
int __lxstat(int, const char* path, struct stat* result) {
  if (!is_pty_entry(path)) return fstatat(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
  memset(result, 0, sizeof *result);
  result->st_mode = S_IFLNK | 0777;
  return 0;
}

ssize_t readlink(const char* path, char* buffer, size_t size) {
  if (!is_pty_entry(path)) return syscall(SYS_readlink, path, buffer, size);
  const std::string_view target = "../../devices/platform/serial8250/tty/ttyS0";
  const size_t count = target.size() < size ? target.size() : size;
  memcpy(buffer, target.data(), count);
  return static_cast<ssize_t>(count);
}

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  switch (request) {
    case TIOCMGET:
      *static_cast<int*>(argument) = 0;
      return 0;
    case TIOCMSET:
    case TIOCMBIS:
    case TIOCMBIC:
      return 0;
    default:
      return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
  }
}

}  // extern "C"
