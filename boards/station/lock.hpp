// One user at a time for a board: an advisory lock on a file, which the kernel drops when its
// holder dies, whatever killed it.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <utility>

#include "boards/station/inventory.hpp"
#include "harness/core/result.hpp"

namespace assay {

/// Where the locks of this machine's boards are, the same for all its users: ASSAY_LOCKS, else
/// /run/lock/assay, else a folder in the temporary folder.
std::filesystem::path board_lock_folder();

class BoardLock {
 public:
  /// Waits up to `patience` for `<folder>/<probe serial>.lock`: the probe is what two users cannot
  /// share, whatever they call the board. Errors: infrastructure naming who holds the board
  /// (process id and program), or the folder that cannot be written; interrupted.
  static Result<BoardLock> acquire(const std::filesystem::path& folder, const Board& board,
                                   std::chrono::milliseconds patience, std::stop_token stop);
  BoardLock(BoardLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  BoardLock& operator=(BoardLock&&) = delete;
  ~BoardLock();

 private:
  explicit BoardLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace assay
