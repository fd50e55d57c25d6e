#include "boards/virtual/pty.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace assay::virtual_board {

Result<std::unique_ptr<Pty>> Pty::open(std::function<void()> on_input,
                                       std::function<void()> on_space) {
  const auto failed = [](int master) {
    const std::string reason = std::strerror(errno);
    if (master >= 0) close(master);
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot open a pty for a UART: {}; see that devpts is mounted at "
                            "/dev/pts and that the system has ptys left",
                            reason));
  };
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  std::array<char, 128> name{};
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
      ptsname_r(master, name.data(), name.size()) != 0)
    return failed(master);
  const int slave = ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return failed(master);
  termios settings{};
  tcgetattr(slave, &settings);
  cfmakeraw(&settings);
  tcsetattr(slave, TCSANOW, &settings);
  return std::unique_ptr<Pty>(
      new Pty(master, slave, name.data(), std::move(on_input), std::move(on_space)));
}

Pty::Pty(int master, int slave, std::string path, std::function<void()> on_input,
         std::function<void()> on_space)
    : master_(master),
      slave_(slave),
      path_(std::move(path)),
      on_input_(std::move(on_input)),
      on_space_(std::move(on_space)),
      thread_([this] { run(); }) {}

Pty::~Pty() {
  stop_ = true;
  wake_.signal();
  thread_.join();
  close(slave_);
  close(master_);
}

// A sleeping pump is woken once; while it is awake it looks at the rings by itself.
void Pty::kick() {
  if (sleeping_.exchange(false)) wake_.signal();
}

std::uint8_t Pty::pop_input() {
  const std::uint8_t byte = input_.pop();
  if (input_.space() == ByteRing::capacity / 2) kick();
  return byte;
}

void Pty::push_output(std::uint8_t byte) {
  if (!output_.push(byte)) return;
  if (output_.space() == 0) output_was_full_ = true;
  kick();
}

void Pty::discard() {
  const std::lock_guard lock(output_reader_);
  output_.clear();
  input_.clear();
  tcflush(slave_, TCIFLUSH);
  tcflush(master_, TCIFLUSH);
}

void Pty::read_input() {
  const std::span<std::uint8_t> room = input_.free_stretch();
  if (room.empty()) return;
  const ssize_t count = read(master_, room.data(), room.size());
  if (count <= 0) return;
  input_.produced(static_cast<std::size_t>(count));
  on_input_();
}

void Pty::write_output() {
  const std::lock_guard lock(output_reader_);
  const std::span<const std::uint8_t> ready = output_.filled_stretch();
  if (ready.empty()) return;
  const ssize_t count = write(master_, ready.data(), ready.size());
  if (count <= 0) return;
  output_.consumed(static_cast<std::size_t>(count));
  if (output_was_full_.exchange(false)) on_space_();
}

void Pty::run() {
  while (!stop_) {
    sleeping_ = true;
    const bool wants_input = input_.space() > 0;
    const bool has_output = !output_.empty();
    std::array<pollfd, 2> descriptors{
        pollfd{master_, static_cast<short>((wants_input ? POLLIN : 0) | (has_output ? POLLOUT : 0)),
               0},
        pollfd{wake_.descriptor(), POLLIN, 0}};
    poll(descriptors.data(), descriptors.size(), -1);
    sleeping_ = false;
    wake_.clear();
    if (descriptors[0].revents & POLLIN) read_input();
    write_output();
  }
}

}  // namespace assay::virtual_board
