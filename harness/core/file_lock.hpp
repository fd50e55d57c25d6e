// One process at a time for a file that is read, changed and written again: an advisory lock that
// the kernel drops when its holder dies. Move-only; thread-safe.
#pragma once

#include <filesystem>
#include <utility>

#include "harness/core/result.hpp"

namespace assay {

class FileLock {
 public:
  /// Waits for the lock on `path`, a file made for it that stays there, folders included. For what
  /// takes milliseconds. Errors: infrastructure when the file cannot be made or locked.
  static Result<FileLock> acquire(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace assay
