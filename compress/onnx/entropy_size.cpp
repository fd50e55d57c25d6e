#include "compress/onnx/entropy_size.hpp"

#include <algorithm>
#include <set>

#include "compress/onnx/huffman.hpp"
#include "compress/onnx/weight_tensors.hpp"

namespace assay::onnx {
namespace {

std::uint64_t bytes_for(std::uint64_t bits) {
  return (bits + 7) / 8;
}

/// How often each distinct value occurs.
std::vector<std::uint64_t> counts_of(std::vector<std::int64_t> values) {
  std::ranges::sort(values);
  std::vector<std::uint64_t> counts;
  for (auto first = values.begin(); first != values.end();) {
    const auto last = std::upper_bound(first, values.end(), *first);
    counts.push_back(static_cast<std::uint64_t>(last - first));
    first = last;
  }
  return counts;
}

EntropySize coded_values(std::vector<std::int64_t> values, std::size_t element_bytes) {
  const auto counts = counts_of(std::move(values));
  EntropySize size;
  size.values = bytes_for(huffman_bits(counts));
  size.codebooks = counts.size() * element_bytes;
  size.tables = counts.size();
  return size;
}

EntropySize sparse_size(const std::vector<std::int64_t>& values, std::size_t element_bytes,
                        std::int64_t zero, std::uint64_t largest_difference) {
  std::vector<std::int64_t> kept;
  std::vector<std::uint64_t> differences(largest_difference, 0);  // [d - 1]: how often d occurs
  std::uint64_t distance = 0;
  for (const std::int64_t value : values) {
    ++distance;
    // A span that no difference can bridge gets a stored zero on its way (figure 2 of the paper).
    if (value == zero && distance < largest_difference) continue;
    kept.push_back(value);
    ++differences[distance - 1];
    distance = 0;
  }
  // Zeros after the last nonzero need no fillers: the shape says where the tensor ends.
  for (; !kept.empty() && kept.back() == zero; kept.pop_back())
    --differences[largest_difference - 1];
  while (!differences.empty() && differences.back() == 0)
    differences.pop_back();
  EntropySize size = coded_values(std::move(kept), element_bytes);
  size.indices = bytes_for(huffman_bits(differences));
  size.tables += differences.size();
  return size;
}

}  // namespace

EntropySize& EntropySize::operator+=(const EntropySize& other) {
  values += other.values;
  indices += other.indices;
  codebooks += other.codebooks;
  tables += other.tables;
  others += other.others;
  return *this;
}

EntropySize entropy_size(const Tensor& weights, std::uint64_t largest_difference,
                         std::int64_t zero) {
  const std::size_t element_bytes = size_of(weights.type);
  const auto values = symbols_of(weights);
  const EntropySize raw{.values = weights.data.size()};
  return std::min({sparse_size(values, element_bytes, zero, largest_difference),
                   coded_values(values, element_bytes), raw},
                  [](const auto& a, const auto& b) { return a.bytes() < b.bytes(); });
}

EntropySize entropy_size(const Model& model) {
  EntropySize size;
  std::set<const Tensor*> coded;
  for (const auto& [layer, tensor, zero] : weight_tensors(model)) {
    coded.insert(tensor);
    size += entropy_size(
        *tensor, layer->op_type == "Conv" ? largest_difference_conv : largest_difference_dense,
        zero);
  }
  for (const auto& [name, tensor] : model.initializers)
    if (!coded.contains(&tensor)) size.others += tensor.data.size();
  return size;
}

}  // namespace assay::onnx
