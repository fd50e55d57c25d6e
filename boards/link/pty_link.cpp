#include "boards/link/pty_link.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace assay {

Result<std::unique_ptr<Link>> PtyLink::open(const std::filesystem::path& path, std::string name) {
  const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot open {} of {}: {}", path.string(), name, std::strerror(errno)));
  std::unique_ptr<PtyLink> link(new PtyLink(fd, std::move(name)));
  termios settings{};
  bool raw = ::tcgetattr(fd, &settings) == 0;
  ::cfmakeraw(&settings);
  // TCSANOW, not TCSAFLUSH: the boot banner may already be waiting.
  raw = raw && ::tcsetattr(fd, TCSANOW, &settings) == 0;
  if (!raw)
    return fail(ErrorKind::infrastructure, fmt::format("{} of {} is no terminal: {}", path.string(),
                                                       link->name(), std::strerror(errno)));
  ASSAY_CHECK(link->attach(fd, fd));
  return link;
}

PtyLink::~PtyLink() {
  ::close(fd_);
}

}  // namespace assay
