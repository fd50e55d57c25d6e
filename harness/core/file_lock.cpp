#include "harness/core/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace assay {

Result<FileLock> FileLock::acquire(const std::filesystem::path& path) {
  std::error_code ignored;  // what is wrong shows when the file is opened
  std::filesystem::create_directories(path.parent_path(), ignored);
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  int locked = lock.descriptor_ < 0 ? -1 : ::flock(lock.descriptor_, LOCK_EX);
  while (locked != 0 && lock.descriptor_ >= 0 && errno == EINTR)
    locked = ::flock(lock.descriptor_, LOCK_EX);
  if (locked != 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot lock {}: {}", path.string(), std::strerror(errno)));
  return lock;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace assay
