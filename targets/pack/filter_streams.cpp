#include "targets/pack/filter_streams.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "targets/pack/rows.hpp"

namespace assay {
namespace {

/// Collects the arrays of a sparse form: what every one of them has, and what the caller adds.
class SparseArrays {
 public:
  /// Ends a row of `count` entries.
  void end_row(std::int64_t count) {
    counts.values.push_back(count);
    most.values[0] = std::max(most.values[0], count);
  }
  /// C++ has no empty arrays.
  static std::vector<ConstantArray> finish(std::vector<ConstantArray> arrays) {
    for (ConstantArray& array : arrays)
      if (array.values.empty()) array.values.push_back(0);
    return arrays;
  }

  ConstantArray counts{"counts", "std::uint16_t", 2, {}};
  ConstantArray most{"most", "std::int32_t", 4, {0}};
};

}  // namespace

FilterRows::FilterRows(const LayerView& view)
    : count_(static_cast<std::size_t>(view.output.channels)), weights_(view.layer.weights) {}

bool weights_within(std::span<const std::int8_t> weights, int largest) {
  return std::ranges::all_of(weights, [largest](int w) { return std::abs(w) <= largest; });
}

std::vector<std::int8_t> distinct_values(std::span<const std::int8_t> weights) {
  const std::set<std::int8_t> values(weights.begin(), weights.end());
  return {values.begin(), values.end()};
}

ConstantArray pack_codebook(const std::vector<std::int8_t>& values, int bits) {
  ConstantArray codebook{"codebook", "std::int8_t", 1, {values.begin(), values.end()}};
  codebook.values.resize(std::size_t{1} << bits, 0);
  return codebook;
}

Bytes bytes_of(const std::vector<ConstantArray>& arrays) {
  Bytes sum;
  for (const ConstantArray& array : arrays)
    sum += Bytes(array.values.size() * static_cast<std::size_t>(array.element_bytes));
  return sum;
}

std::vector<ConstantArray> pack_blocks(const FilterRows& rows) {
  SparseArrays sparse;
  const bool wide = rows.inputs() > 4 * 256;
  ConstantArray positions{"positions", wide ? "std::uint16_t" : "std::uint8_t", wide ? 2 : 1, {}};
  ConstantArray weights{"weights", "std::uint32_t", 4, {}};
  for (std::size_t r = 0; r < rows.count(); ++r) {
    const auto row = rows[r];
    std::int64_t count = 0;
    for (std::size_t first = 0; first < row.size(); first += 4) {
      std::uint32_t four = 0;
      for (std::size_t i = first; i < std::min(first + 4, row.size()); ++i)
        four |= static_cast<std::uint32_t>(row[i] & 0xff) << (8 * (i - first));
      if (four == 0) continue;
      positions.values.push_back(static_cast<std::int64_t>(first / 4));
      weights.values.push_back(four);
      ++count;
    }
    sparse.end_row(count);
  }
  return SparseArrays::finish({sparse.counts, sparse.most, positions, weights});
}

std::vector<ConstantArray> pack_scattered(const FilterRows& rows) {
  SparseArrays sparse;
  ConstantArray steps{"steps", "std::uint8_t", 1, {}};
  ConstantArray values{"values", "std::int8_t", 1, {}};
  for (std::size_t r = 0; r < rows.count(); ++r) {
    std::int64_t step = 0, count = 0;
    for (const std::int8_t w : rows[r]) {
      ++step;
      if (w == 0 && step < 255) continue;
      steps.values.push_back(step);
      values.values.push_back(w);
      step = 0;
      ++count;
    }
    sparse.end_row(count);
  }
  return SparseArrays::finish({sparse.counts, sparse.most, steps, values});
}

std::vector<ConstantArray> pack_bitmap(const FilterRows& rows) {
  SparseArrays sparse;
  ConstantArray bits{"bits", "std::uint32_t", 4, {}};
  ConstantArray values{"values", "std::int8_t", 1, {}};
  for (std::size_t r = 0; r < rows.count(); ++r) {
    const auto row = rows[r];
    const auto first_word = bits.values.size();
    bits.values.resize(first_word + (row.size() + 31) / 32, 0);
    std::int64_t count = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] == 0) continue;
      bits.values[first_word + i / 32] |= std::int64_t{1} << (i % 32);
      values.values.push_back(row[i]);
      ++count;
    }
    sparse.end_row(count);
  }
  return SparseArrays::finish({sparse.most, bits, values});
}

std::vector<ConstantArray> with_requantization(const LayerView& view,
                                               std::vector<ConstantArray> arrays) {
  for (ConstantArray& array : pack_requantization(view))
    arrays.push_back(std::move(array));
  return arrays;
}

int largest_count(const std::vector<ConstantArray>& arrays) {
  const auto most = std::ranges::find(arrays, "most", &ConstantArray::name);
  return static_cast<int>(most->values[0]);
}

}  // namespace assay
