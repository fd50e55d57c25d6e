// Weights of convolutions and dense layers as the streams that compressed kernels read: fields of
// less than a byte, or what is not zero and where. Pure; thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "targets/pack/kernel.hpp"

namespace assay {

/// The weights of a convolution or dense layer, one row for each output channel.
class FilterRows {
 public:
  explicit FilterRows(const LayerView& view);
  std::size_t count() const { return count_; }
  /// Weights of a row.
  std::size_t inputs() const { return weights_.size() / count_; }
  std::span<const std::int8_t> operator[](std::size_t row) const {
    return weights_.subspan(row * inputs(), inputs());
  }
  std::span<const std::int8_t> all() const { return weights_; }

 private:
  std::size_t count_;
  std::span<const std::int8_t> weights_;
};

/// Whether every weight lies in [-largest, largest].
bool weights_within(std::span<const std::int8_t> weights, int largest);

/// The different values of weights, in ascending order.
std::vector<std::int8_t> distinct_values(std::span<const std::int8_t> weights);

/// The member `codebook`: the values, filled up with zeros to 2^bits.
ConstantArray pack_codebook(const std::vector<std::int8_t>& values, int bits);

/// The number of a weight among the values.
inline auto number_in(const std::vector<std::int8_t>& values) {
  return [&values](std::int8_t weight) {
    return static_cast<std::uint32_t>(std::ranges::lower_bound(values, weight) - values.begin());
  };
}

// What a form asks of the weights: `accepts` of its rows.

template <int largest>
bool within(const LayerView& view) {
  return weights_within(view.layer.weights, largest);
}

template <int fewest, int most>
bool value_count_in(const LayerView& view) {
  const int count = static_cast<int>(distinct_values(view.layer.weights).size());
  return count >= fewest && count <= most;
}

Bytes bytes_of(const std::vector<ConstantArray>& arrays);

/// Sparse forms are for weights that they make smaller.
template <auto pack_rows>
bool smaller_than_int8(const LayerView& view) {
  return bytes_of(pack_rows(FilterRows(view))) < Bytes(view.layer.weights.size());
}

/// The member `fields`: rows of `fields_per_row` fields (bit_fields.hpp) of `bits` bits, filled
/// up with `filler`. `to_field` gives the number of a weight.
template <class ToField>
ConstantArray pack_fields(const FilterRows& rows, int bits, std::size_t fields_per_row,
                          std::uint32_t filler, ToField to_field) {
  ConstantArray fields{"fields", "std::uint32_t", 4, {}};
  const std::size_t words_per_row = fields_per_row * static_cast<std::size_t>(bits) / 32;
  for (std::size_t r = 0; r < rows.count(); ++r) {
    std::vector<std::uint32_t> words(words_per_row + 1, 0);
    for (std::size_t i = 0; i < fields_per_row; ++i) {
      const std::uint32_t field = i < rows.inputs() ? to_field(rows[r][i]) : filler;
      const std::uint64_t wide = std::uint64_t{field & ((1u << bits) - 1)}
                                 << (i * static_cast<std::size_t>(bits) % 32);
      const std::size_t word = i * static_cast<std::size_t>(bits) / 32;
      words[word] |= static_cast<std::uint32_t>(wide);
      words[word + 1] |= static_cast<std::uint32_t>(wide >> 32);
    }
    fields.values.insert(fields.values.end(), words.begin(), words.end() - 1);
  }
  return fields;
}

/// `counts`, `most`, `positions` and `weights` of blocks of four inputs.
std::vector<ConstantArray> pack_blocks(const FilterRows& rows);
/// `counts`, `most`, `steps` and `values` of single weights. A step of more than 255 inputs is
/// bridged with weights of zero.
std::vector<ConstantArray> pack_scattered(const FilterRows& rows);
/// `most`, `bits` and `values`.
std::vector<ConstantArray> pack_bitmap(const FilterRows& rows);

/// And b' and m as pack_requantization gives them.
std::vector<ConstantArray> with_requantization(const LayerView& layer,
                                               std::vector<ConstantArray> arrays);

/// `pack` of rows whose kernels read one of the above.
template <auto pack_rows>
std::vector<ConstantArray> pack_sparse(const LayerView& view) {
  return with_requantization(view, pack_rows(FilterRows(view)));
}

/// The largest entry of the member `most` among the arrays of one of the above.
int largest_count(const std::vector<ConstantArray>& arrays);

}  // namespace assay
