#include "targets/pack/group_packing.hpp"

#include <algorithm>

#include "targets/pack/filter_streams.hpp"

namespace assay {

WeightGroup group_of_two(std::span<const std::int8_t> low, std::span<const std::int8_t> high,
                         std::size_t first) {
  return {low[first],     low[first + 2], high[first],     high[first + 2],
          low[first + 1], low[first + 3], high[first + 1], high[first + 3]};
}

void LanePacker::add_group(const WeightGroup& weights) {
  add_lane_word({weights[0], weights[2], weights[1], weights[3]});
  add_lane_word({weights[4], weights[6], weights[5], weights[7]});
}

void LanePacker::add_lane_word(const std::array<std::int8_t, 4>& bytes) {
  if (shift_ == 0) {
    words_.push_back(0);
    shift_ = 8;
  }
  shift_ -= bits_;
  const std::int64_t mask = (1 << bits_) - 1;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    words_.back() |= (bytes[i] & mask) << (8 * i + static_cast<std::size_t>(shift_));
}

CodebookPacker::CodebookPacker(std::span<const std::int8_t> weights)
    : values_(distinct_values(weights)), bits_(codebook_form(weights).bits) {}

void CodebookPacker::add_group(const WeightGroup& weights) {
  std::uint64_t numbers = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto at = std::lower_bound(values_.begin(), values_.end(), weights[i]);
    const bool known = at != values_.end() && *at == weights[i];
    const auto number = static_cast<std::uint64_t>(known ? at - values_.begin() : 0);
    numbers |= number << (i * static_cast<std::size_t>(bits_));
  }
  for (int byte = 0; byte < bits_; ++byte)
    bytes_.push_back(static_cast<std::int64_t>(numbers >> (8 * byte) & 0xff));
}

std::vector<ConstantArray> CodebookPacker::arrays() const {
  std::vector<std::int64_t> bytes = bytes_;
  if (bits_ != 4) bytes.push_back(0);
  return {{"packed", "std::uint8_t", 1, bytes},
          {"values", "std::int8_t", 1, {values_.begin(), values_.end()}}};
}

kernels::dsp::PackedForm codebook_form(std::span<const std::int8_t> weights) {
  return {kernels::dsp::index_bits(static_cast<int>(distinct_values(weights).size())), true};
}

}  // namespace assay
