#include "compress/onnx/entropy_size.hpp"

#include <algorithm>
#include <set>

#include "compress/onnx/huffman.hpp"

namespace assay::onnx {
namespace {

std::uint64_t bytes_for(std::uint64_t bits) {
  return (bits + 7) / 8;
}

/// Every element as an integer that is equal for equal values: integers themselves, floating-point
/// numbers as their bits with one zero.
std::vector<std::int64_t> symbols_of(const Tensor& tensor) {
  const auto widened = [](const auto& values) {
    return std::vector<std::int64_t>(values.begin(), values.end());
  };
  const auto with_one_zero = [](std::vector<std::int64_t> bits, std::int64_t negative_zero) {
    std::ranges::replace(bits, negative_zero, 0);
    return bits;
  };
  switch (tensor.type) {
    case ElementType::float32:
      return with_one_zero(widened(tensor.as<std::uint32_t>()), 0x80000000);
    case ElementType::float16:
      return with_one_zero(widened(tensor.as<std::uint16_t>()), 0x8000);
    case ElementType::int8:
      return widened(tensor.as<std::int8_t>());
    case ElementType::uint8:
      return widened(tensor.as<std::uint8_t>());
    case ElementType::int16:
      return widened(tensor.as<std::int16_t>());
    case ElementType::int32:
      return widened(tensor.as<std::int32_t>());
    case ElementType::int64:
      return widened(tensor.as<std::int64_t>());
  }
  return {};
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

bool is_dense_layer(const Node& node) {
  return node.domain.empty() && (node.op_type == "Gemm" || node.op_type == "MatMul");
}

bool is_convolution(const Node& node) {
  return node.domain.empty() && node.op_type == "Conv";
}

/// The value all elements of a zero point share; 0 when there is none, or one per channel.
std::int64_t zero_of(const Model& model, const Node& dequantize) {
  if (dequantize.inputs.size() < 3) return 0;
  const Tensor* point = model.initializer(dequantize.inputs[2]);
  if (!point) return 0;
  const auto values = symbols_of(*point);
  const bool shared =
      !values.empty() && std::ranges::adjacent_find(values, std::not_equal_to<>()) == values.end();
  return shared ? values.front() : 0;
}

/// A constant on its way into a layer, and what its zeros look like.
struct Weights {
  const Tensor* tensor = nullptr;
  std::int64_t zero = 0;
};

using Producers = std::map<std::string, const Node*>;

Weights find_weights(const Model& model, const Producers& producers, std::string name) {
  std::int64_t zero = 0;
  for (;;) {
    if (const Tensor* tensor = model.initializer(name)) return {tensor, zero};
    const auto found = producers.find(name);
    if (found == producers.end() || found->second->inputs.empty()) return {};
    const Node& node = *found->second;
    const bool dequantizes = node.op_type == "DequantizeLinear";
    if (!dequantizes && node.op_type != "Cast") return {};
    if (dequantizes) zero = zero_of(model, node);
    name = node.inputs.front();
  }
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
  Producers producers;
  for (const auto& node : model.nodes)
    for (const auto& output : node.outputs)
      producers[output] = &node;
  EntropySize size;
  std::set<const Tensor*> coded;
  for (const auto& node : model.nodes) {
    if (!is_convolution(node) && !is_dense_layer(node)) continue;
    // The third input is the bias. A matrix product may have its constant on either side.
    for (const auto& input :
         std::span(node.inputs).first(std::min<std::size_t>(2, node.inputs.size()))) {
      const auto [tensor, zero] = find_weights(model, producers, input);
      if (!tensor || tensor->shape.size() < 2 || !coded.insert(tensor).second) continue;
      size += entropy_size(
          *tensor, is_convolution(node) ? largest_difference_conv : largest_difference_dense, zero);
    }
  }
  for (const auto& [name, tensor] : model.initializers)
    if (!coded.contains(&tensor)) size.others += tensor.data.size();
  return size;
}

}  // namespace assay::onnx
