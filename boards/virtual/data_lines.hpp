// The lines a chip keeps of the data it read from flash, and from other memory behind the same
// cache: which reads have to wait. Least recently used lines go first (the reference manuals of
// ST's accelerators say so; of data caches it is an approximation). Used by one thread at a time.
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

  /// A read at `address`; true when what it reads was not there, and now is.
  bool misses(std::uint32_t address);
  void forget();

 private:
  /// A line of which only what misses brought may be there.
  struct Line {
    std::uint32_t number = nothing;
    std::uint32_t filled = 0;  ///< a bit for each piece that one access brings
  };

  std::uint32_t line_shift_ = 2;
  std::uint32_t fill_shift_ = 2;
  std::uint32_t piece_mask_ = 0;
  std::uint32_t set_mask_ = 0;
  std::size_t ways_ = 0;
  /// Lines of every set, the most recently used first.
  std::vector<Line> lines_;
  static constexpr std::uint32_t nothing = ~0u;
};

}  // namespace assay::virtual_board
