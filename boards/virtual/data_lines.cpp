#include "boards/virtual/data_lines.hpp"

#include <algorithm>
#include <bit>

namespace assay::virtual_board {

DataLines::DataLines(std::optional<FlashTiming::DataLines> layout) {
  if (!layout) return;
  line_shift_ = static_cast<std::uint32_t>(std::countr_zero(layout->line_bytes));
  ways_ = layout->ways == 0 ? layout->lines : layout->ways;
  set_mask_ = layout->lines / static_cast<std::uint32_t>(ways_) - 1;
  lines_.assign(layout->lines, nothing);
}

bool DataLines::misses(std::uint32_t address) {
  if (ways_ == 0) return true;
  const std::uint32_t line = address >> line_shift_;
  const auto first = lines_.begin() + static_cast<std::ptrdiff_t>((line & set_mask_) * ways_);
  const auto last = first + static_cast<std::ptrdiff_t>(ways_);
  auto found = std::find(first, last, line);
  const bool missed = found == last;
  if (missed) --found;
  std::move_backward(first, found, found + 1);
  *first = line;
  return missed;
}

void DataLines::forget() {
  std::ranges::fill(lines_, nothing);
}

}  // namespace assay::virtual_board
