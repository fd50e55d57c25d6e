#include "boards/station/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
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

std::filesystem::path board_lock_folder() {
  if (const char* chosen = std::getenv("ASSAY_LOCKS")) return chosen;
  const std::filesystem::path shared = "/run/lock";
  if (::access(shared.c_str(), W_OK) == 0) return shared / "assay";
  return std::filesystem::temp_directory_path() / "assay-locks";
}

Result<BoardLock> BoardLock::acquire(const std::filesystem::path& folder, const Board& board,
                                     std::chrono::milliseconds patience, std::stop_token stop) {
  std::error_code code;
  if (std::filesystem::create_directories(folder, code))
    std::filesystem::permissions(folder, std::filesystem::perms::all, code);
  const auto path = folder / (board.probe_serial + ".lock");
  BoardLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (lock.descriptor_ < 0)
    return fail(ErrorKind::infrastructure, fmt::format("cannot lock board {}: {}: {}", board.name,
                                                       path.string(), std::strerror(errno)));
  ::fchmod(lock.descriptor_, 0666);  // for the other users; fails harmlessly on their files
  const Deadline deadline(patience);
  while (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (stop.stop_requested())
      return fail(ErrorKind::interrupted,
                  fmt::format("interrupted while waiting for board {}", board.name));
    if (deadline.passed())
      return fail(ErrorKind::infrastructure,
                  fmt::format("board {} is in use by {}; wait for it or choose another board",
                              board.name, holder_of(path)));
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
