#include "boards/virtual/data_lines.hpp"

#include <algorithm>
#include <bit>

namespace assay::virtual_board {
namespace {

std::uint32_t log2_of(std::uint32_t power_of_two) {
  return static_cast<std::uint32_t>(std::countr_zero(power_of_two));
}

}  // namespace

DataLines::DataLines(std::optional<FlashTiming::DataLines> layout) {
  if (!layout) return;
  const std::uint32_t fill = layout->fill_bytes == 0 ? layout->line_bytes : layout->fill_bytes;
  line_shift_ = log2_of(layout->line_bytes);
  fill_shift_ = log2_of(fill);
  piece_mask_ = layout->line_bytes / fill - 1;
  ways_ = layout->ways == 0 ? layout->lines : layout->ways;
  set_mask_ = layout->lines / static_cast<std::uint32_t>(ways_) - 1;
  lines_.resize(layout->lines);
}

bool DataLines::misses(std::uint32_t address) {
  if (ways_ == 0) return true;
  const std::uint32_t number = address >> line_shift_;
  const std::uint32_t piece = 1u << ((address >> fill_shift_) & piece_mask_);
  const auto first = lines_.begin() + static_cast<std::ptrdiff_t>((number & set_mask_) * ways_);
  const auto last = first + static_cast<std::ptrdiff_t>(ways_);
  auto found = std::ranges::find(first, last, number, &Line::number);
  const bool known = found != last;
  if (!known) --found;
  Line line = known ? *found : Line{number, 0};
  const bool missed = !(line.filled & piece);
  line.filled |= piece;
  std::move_backward(first, found, found + 1);
  *first = line;
  return missed;
}

void DataLines::forget() {
  std::ranges::fill(lines_, Line{});
}

}  // namespace assay::virtual_board
