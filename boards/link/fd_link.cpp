#include "boards/link/fd_link.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace assay {

namespace {

constexpr std::chrono::milliseconds write_patience{3000};
constexpr std::size_t inbox_limit = 1 << 20;

/// poll() that a signal does not end early with an error; returns false on timeout.
Result<bool> wait_for(std::span<pollfd> descriptors, std::chrono::milliseconds timeout) {
  const int ready =
      ::poll(descriptors.data(), descriptors.size(), static_cast<int>(timeout.count()));
  if (ready < 0 && errno != EINTR)
    return fail(ErrorKind::infrastructure, fmt::format("poll failed: {}", std::strerror(errno)));
  return ready > 0;
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Status FdLink::attach(int read_fd, int write_fd) {
  read_fd_ = read_fd;
  write_fd_ = write_fd;
  for (int fd : {read_fd, write_fd}) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
      return gone("cannot be made non-blocking");
  }
  return {};
}

Result<std::size_t> FdLink::read(std::span<std::byte> buffer, std::chrono::milliseconds timeout) {
  if (inbox_used_ < inbox_.size()) {
    const std::size_t count = std::min(buffer.size(), inbox_.size() - inbox_used_);
    std::copy_n(inbox_.begin() + static_cast<std::ptrdiff_t>(inbox_used_), count, buffer.begin());
    inbox_used_ += count;
    if (inbox_used_ == inbox_.size()) inbox_.clear(), inbox_used_ = 0;
    return count;
  }
  pollfd waiting{read_fd_, POLLIN, 0};
  ASSAY_TRY(const bool ready, wait_for({&waiting, 1}, timeout));
  if (!ready) return std::size_t{0};
  return read_now(buffer);
}

Status FdLink::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t written = ::write(write_fd_, data.data(), data.size());
    if (written > 0) {
      data = data.subspan(static_cast<std::size_t>(written));
      continue;
    }
    if (written < 0 && !would_block()) return gone("went away while writing");
    const bool full = inbox_.size() >= inbox_limit;
    std::array<pollfd, 2> waiting{pollfd{write_fd_, POLLOUT, 0},
                                  pollfd{full ? -1 : read_fd_, POLLIN, 0}};
    ASSAY_TRY(const bool ready, wait_for(waiting, write_patience));
    if (!ready)
      return fail(ErrorKind::infrastructure,
                  fmt::format("{} takes no more bytes: check cable and power", name_));
    if (waiting[1].revents != 0) ASSAY_CHECK(stash());
  }
  return {};
}

Result<std::size_t> FdLink::read_now(std::span<std::byte> buffer) {
  const ssize_t count = ::read(read_fd_, buffer.data(), buffer.size());
  if (count > 0) return static_cast<std::size_t>(count);
  if (count < 0 && would_block()) return std::size_t{0};
  if (count == 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("{} went away: its end of the link is closed", name_));
  return gone("went away while reading");
}

Status FdLink::stash() {
  std::array<std::byte, 4096> chunk;
  ASSAY_TRY(const std::size_t count, read_now(chunk));
  inbox_.insert(inbox_.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(count));
  return {};
}

tl::unexpected<Error> FdLink::gone(const char* what) const {
  return fail(ErrorKind::infrastructure,
              fmt::format("{} {} ({})", name_, what, std::strerror(errno)));
}

}  // namespace assay
