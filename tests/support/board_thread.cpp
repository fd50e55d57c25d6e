#include "tests/support/board_thread.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>

namespace assay::test {

namespace {

void write_all(int fd, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written <= 0) return;  // unplugged
    data = data.subspan(static_cast<std::size_t>(written));
  }
}

void serve(const std::stop_token& stop, int master) {
  FakeClock clock;
  FakeBoard board(clock);
  board.inference_time = std::chrono::nanoseconds(0);
  std::vector<std::byte> out;
  std::array<std::byte, 512> chunk;
  while (!stop.stop_requested()) {
    pollfd waiting{master, POLLIN, 0};
    constexpr int stop_noticed_after_ms = 20;
    if (::poll(&waiting, 1, stop_noticed_after_ms) <= 0) continue;
    const ssize_t count = ::read(master, chunk.data(), chunk.size());
    if (count <= 0) return;
    board.arrive({chunk.data(), static_cast<std::size_t>(count)});
    out.clear();
    board.run_until(clock.now(), out);
    write_all(master, out);
  }
}

}  // namespace

BoardThread::BoardThread(int master)
    : thread_([master](const std::stop_token& stop) { serve(stop, master); }) {}

}  // namespace assay::test
