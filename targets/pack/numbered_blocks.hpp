// Weights as blocks of four whose values are numbers of a small codebook, with zero blocks left
// out: the stream that targets/runtime/dsp/sparse_layout.hpp describes, and what the kernels of
// other cores read too. Pure; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "targets/pack/filter_streams.hpp"

namespace assay {

/// Writes the blocks of one channel after the other.
class NumberedBlocks {
 public:
  /// At most this many different values, zero among them.
  static constexpr std::size_t most_values = 16;
  /// Whether these weights have so few.
  static bool can_number(std::span<const std::int8_t> weights);

  /// For channels of these weights, all of them.
  explicit NumberedBlocks(std::span<const std::int8_t> weights);

  /// The next block of the channel, not all zero, `place` units from where the channel begins; not
  /// before the last one.
  void add(int place, const std::array<std::int8_t, 4>& weights);
  void end_channel();

  /// Blocks of the longest channel so far, those that only bridge long distances among them.
  int longest_channel() const { return longest_channel_; }
  /// The members `stream` and `values`.
  std::vector<ConstantArray> arrays() const;
  /// What they take.
  Bytes bytes() const { return Bytes(stream_.size() + values_.size()); }

 private:
  void put(int distance, const std::array<std::int8_t, 4>& weights);
  std::int64_t number(std::int8_t value) const;

  std::vector<std::int8_t> values_;  ///< ascending
  std::vector<std::int64_t> stream_;
  std::size_t channel_begin_ = 0;  ///< in the stream
  int place_ = 0;
  int longest_channel_ = 0;
};

/// The blocks of each row, places counted in blocks from where it begins: what all kernels but
/// those for cores with SMLAD on Cortex-M read.
NumberedBlocks number_blocks(const FilterRows& rows);

/// Their members `stream` and `values`.
std::vector<ConstantArray> pack_numbered_blocks(const FilterRows& rows);

/// Whether such blocks hold the weights, in fewer bytes than int8.
bool numbers_are_smaller(const LayerView& layer);

}  // namespace assay
