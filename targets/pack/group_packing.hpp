// Weights packed for the decoders of targets/runtime/dsp/unpack.hpp: eight at a time, four of each
// of two channels, as parts of bytes or as numbers of values. Pure; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "targets/pack/kernel.hpp"
#include "targets/runtime/dsp/tile_layout.hpp"

namespace assay {

/// Eight weights in the order they are decoded to.
using WeightGroup = std::array<std::int8_t, 8>;

/// Those of the inputs from `first` on: the even ones of the lower channel, then of the higher one,
/// then the odd ones.
WeightGroup group_of_two(std::span<const std::int8_t> low, std::span<const std::int8_t> high,
                         std::size_t first);

/// Packs weights as parts of bytes: a word holds 8 / bits lane words.
class LanePacker {
 public:
  explicit LanePacker(int bits) : bits_(bits) {}

  void add_group(const WeightGroup& weights);
  /// The member `packed`.
  std::vector<ConstantArray> arrays() const { return {{"packed", "std::uint32_t", 4, words_}}; }

 private:
  void add_lane_word(const std::array<std::int8_t, 4>& bytes);

  int bits_;
  int shift_ = 0;  ///< of the lane word added last
  std::vector<std::int64_t> words_;
};

/// Packs weights as numbers of their values.
class CodebookPacker {
 public:
  /// For weights of a layer, all of them.
  explicit CodebookPacker(std::span<const std::int8_t> weights);

  /// A weight that only fills up has number 0: its input is zero, or nobody reads its channel.
  void add_group(const WeightGroup& weights);
  /// The members `packed` and `values`. Numbers that are no half bytes are read a byte beyond the
  /// last one.
  std::vector<ConstantArray> arrays() const;

 private:
  std::vector<std::int8_t> values_;
  int bits_;
  std::vector<std::int64_t> bytes_;
};

/// The form CodebookPacker gives a layer of these weights.
kernels::dsp::PackedForm codebook_form(std::span<const std::int8_t> weights);

}  // namespace assay
