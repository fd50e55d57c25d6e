#include "boards/virtual/wake_event.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace assay::virtual_board {

WakeEvent::WakeEvent() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

WakeEvent::~WakeEvent() {
  close(descriptor_);
}

void WakeEvent::signal() {
  eventfd_write(descriptor_, 1);
}

void WakeEvent::clear() {
  eventfd_t count = 0;
  eventfd_read(descriptor_, &count);
}

void WakeEvent::wait(std::optional<std::chrono::nanoseconds> timeout) {
  pollfd descriptor{descriptor_, POLLIN, 0};
  timespec limit{};
  if (timeout) {
    const auto nanoseconds = std::max<std::int64_t>(0, timeout->count());
    limit = {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  }
  ppoll(&descriptor, 1, timeout ? &limit : nullptr, nullptr);
  clear();
}

}  // namespace assay::virtual_board
