// One user at a time for a board: an advisory lock on a file, which the kernel drops when its
// holder dies, whatever killed it.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <utility>

#include "harness/core/result.hpp"

namespace assay {

class BoardLock {
 public:
  /// Waits up to `patience` for `<folder>/<board>.lock`. Errors: infrastructure naming who holds
  /// the board (process id and program), or the folder that cannot be written; interrupted.
  static Result<BoardLock> acquire(const std::filesystem::path& folder, const std::string& board,
                                   std::chrono::milliseconds patience, std::stop_token stop);
  BoardLock(BoardLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  BoardLock& operator=(BoardLock&&) = delete;
  ~BoardLock();

 private:
  explicit BoardLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace assay
