#include "boards/station/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

constexpr std::chrono::milliseconds retry_interval{50};

/// Board names may hold characters that file names may not ("virtual:f405").
std::filesystem::path lock_file(const std::filesystem::path& folder, std::string board) {
  std::ranges::replace(board, '/', '_');
  return folder / (board + ".lock");
}

std::string our_name() {
  auto name = read_text("/proc/self/comm").value_or("assay\n");
  name.pop_back();
  return fmt::format("{} (process {})", name, ::getpid());
}

}  // namespace

Result<BoardLock> BoardLock::acquire(const std::filesystem::path& folder, const std::string& board,
                                     std::chrono::milliseconds patience, std::stop_token stop) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  const auto path = lock_file(folder, board);
  BoardLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.descriptor_ < 0)
    return fail(ErrorKind::infrastructure, fmt::format("cannot lock board {}: {}: {}", board,
                                                       path.string(), std::strerror(errno)));
  const Deadline deadline(patience);
  while (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (stop.stop_requested()) return fail(ErrorKind::interrupted, "interrupted");
    if (deadline.passed())
      return fail(ErrorKind::infrastructure,
                  fmt::format("board {} is in use by {}; wait for it or choose another board",
                              board, read_text(path).value_or("another process")));
    std::this_thread::sleep_for(retry_interval);
  }
  const auto name = our_name();
  if (::ftruncate(lock.descriptor_, 0) != 0 ||
      ::pwrite(lock.descriptor_, name.data(), name.size(), 0) < 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  return lock;
}

BoardLock::~BoardLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace assay
