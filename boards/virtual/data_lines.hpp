// The lines a chip keeps of the data it read from flash: which reads have to wait. Least recently
// used lines go first (the reference manuals of ST's accelerators say so; of data caches it is an
// approximation). Used by one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/core/part.hpp"

namespace assay::virtual_board {

class DataLines {
 public:
  /// Without lines every read waits.
  explicit DataLines(std::optional<FlashTiming::DataLines> layout);

  /// A read at `address`; true when the line was not there, and now is.
  bool misses(std::uint32_t address);
  void forget();

 private:
  std::uint32_t line_shift_ = 2;
  std::uint32_t set_mask_ = 0;
  std::size_t ways_ = 0;
  /// Lines of every set, the most recently used first; `nothing` where none was read yet.
  std::vector<std::uint32_t> lines_;
  static constexpr std::uint32_t nothing = ~0u;
};

}  // namespace assay::virtual_board
