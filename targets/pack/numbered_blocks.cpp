#include "targets/pack/numbered_blocks.hpp"

#include <algorithm>
#include <set>

namespace assay {
namespace {

constexpr std::size_t block_bytes = 3;
constexpr int longest_distance = 127;

std::set<std::int8_t> values_of(std::span<const std::int8_t> weights) {
  std::set<std::int8_t> values(weights.begin(), weights.end());
  values.insert(0);  // of what fills blocks up, and of blocks that only bridge a distance
  return values;
}

/// As a signed byte holds it.
std::int64_t byte(std::int64_t value) {
  return static_cast<std::int8_t>(value);
}

}  // namespace

bool NumberedBlocks::can_number(std::span<const std::int8_t> weights) {
  return values_of(weights).size() <= most_values;
}

NumberedBlocks::NumberedBlocks(std::span<const std::int8_t> weights) {
  const auto values = values_of(weights);
  values_.assign(values.begin(), values.end());
}

void NumberedBlocks::add(int place, const std::array<std::int8_t, 4>& weights) {
  for (; place - place_ > longest_distance; place_ += longest_distance)
    put(longest_distance, {});
  put(place - place_, weights);
  place_ = place;
}

void NumberedBlocks::end_channel() {
  if (stream_.size() == channel_begin_) put(0, {});
  stream_[stream_.size() - block_bytes] = byte(stream_[stream_.size() - block_bytes] + 1);
  const auto blocks = (stream_.size() - channel_begin_) / block_bytes;
  longest_channel_ = std::max(longest_channel_, static_cast<int>(blocks));
  channel_begin_ = stream_.size();
  place_ = 0;
}

std::vector<ConstantArray> NumberedBlocks::arrays() const {
  return {{"stream", "std::int8_t", 1, stream_},
          {"values", "std::int8_t", 1, {values_.begin(), values_.end()}}};
}

void NumberedBlocks::put(int distance, const std::array<std::int8_t, 4>& weights) {
  stream_.push_back(byte(2 * distance));
  stream_.push_back(byte(number(weights[0]) | number(weights[2]) << 4));
  stream_.push_back(byte(number(weights[1]) | number(weights[3]) << 4));
}

std::int64_t NumberedBlocks::number(std::int8_t value) const {
  return std::ranges::lower_bound(values_, value) - values_.begin();
}

NumberedBlocks number_blocks(const FilterRows& rows) {
  NumberedBlocks blocks(rows.all());
  for (std::size_t r = 0; r < rows.count(); ++r) {
    const auto row = rows[r];
    for (std::size_t first = 0; first < row.size(); first += 4) {
      const auto weight = [&](std::size_t i) {
        return first + i < row.size() ? row[first + i] : std::int8_t{0};
      };
      const std::array weights{weight(0), weight(1), weight(2), weight(3)};
      if (std::ranges::any_of(weights, [](int w) { return w != 0; }))
        blocks.add(static_cast<int>(first / 4), weights);
    }
    blocks.end_channel();
  }
  return blocks;
}

std::vector<ConstantArray> pack_numbered_blocks(const FilterRows& rows) {
  return number_blocks(rows).arrays();
}

bool numbers_are_smaller(const LayerView& view) {
  return NumberedBlocks::can_number(view.layer.weights) &&
         number_blocks(FilterRows(view)).bytes() < Bytes(view.layer.weights.size());
}

}  // namespace assay
