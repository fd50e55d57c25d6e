#include "boards/station/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

constexpr std::chrono::milliseconds retry_interval{50};

std::string our_name() {
  const auto name = read_text("/proc/self/comm").value_or("assay");
  return fmt::format("{} (process {})", name.substr(0, name.find('\n')), ::getpid());
}

/// Who wrote the lock file; a holder that has just got it has not yet.
std::string holder_of(const std::filesystem::path& lock) {
  const auto name = read_text(lock).value_or("");
  return name.empty() ? "another process" : name;
}

}  // namespace

Result<BoardLock> BoardLock::acquire(const std::filesystem::path& folder, const std::string& board,
                                     std::chrono::milliseconds patience, std::stop_token stop) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  const auto path = folder / (board + ".lock");
  BoardLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.descriptor_ < 0)
    return fail(ErrorKind::infrastructure, fmt::format("cannot lock board {}: {}: {}", board,
                                                       path.string(), std::strerror(errno)));
  const Deadline deadline(patience);
  while (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (stop.stop_requested())
      return fail(ErrorKind::interrupted,
                  fmt::format("interrupted while waiting for board {}", board));
    if (deadline.passed())
      return fail(ErrorKind::infrastructure,
                  fmt::format("board {} is in use by {}; wait for it or choose another board",
                              board, holder_of(path)));
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
