#include "compress/onnx/weight_tensors.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "compress/onnx/distinct.hpp"

namespace assay::onnx {
namespace {

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

using Producers = std::map<std::string, const Node*>;

Producers producers_of(const Model& model) {
  Producers producers;
  for (const auto& node : model.nodes)
    for (const auto& output : node.outputs)
      producers[output] = &node;
  return producers;
}

WeightTensor find_constant(const Model& model, const Producers& producers, const Node& layer,
                           std::string name) {
  std::int64_t zero = 0;
  for (;;) {
    if (const Tensor* tensor = model.initializer(name)) return {&layer, tensor, zero};
    const auto found = producers.find(name);
    if (found == producers.end() || found->second->inputs.empty()) return {};
    const Node& node = *found->second;
    const bool dequantizes = node.op_type == "DequantizeLinear";
    if (!dequantizes && node.op_type != "Cast") return {};
    if (dequantizes) zero = zero_of(model, node);
    name = node.inputs.front();
  }
}

bool takes_weights(const Node& node) {
  return node.domain.empty() &&
         (node.op_type == "Conv" || node.op_type == "Gemm" || node.op_type == "MatMul");
}

int packed_bits(const WeightTensor& weights) {
  const auto stored = static_cast<int>(8 * size_of(weights.tensor->type));
  if (weights.tensor->type != ElementType::int8) return stored;
  std::int64_t largest = 0;
  for (const std::int64_t value : symbols_of(*weights.tensor))
    largest = std::max(largest, std::abs(value));
  return largest <= 1 ? 2 : largest <= 7 ? 4 : 8;
}

std::int64_t count_distinct(std::span<const std::int64_t> values) {
  return std::int64_t(distinct_values(values).size());
}

std::uint64_t whole_bytes(std::uint64_t bits) {
  return (bits + 7) / 8;
}

/// Indices into a table of values, one table for each of `rows` equal parts of the tensor. An index
/// has 1, 2, 4 or 8 bits, so that none straddles a byte; nothing: 8 do not suffice.
std::optional<std::uint64_t> codebook_bytes(const std::vector<std::int64_t>& symbols,
                                            std::size_t rows, std::size_t value_size) {
  if (rows == 0 || symbols.size() % rows != 0) return std::nullopt;
  const std::size_t size = symbols.size() / rows;
  std::int64_t most = 0, all = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int64_t distinct = count_distinct(std::span(symbols).subspan(row * size, size));
    most = std::max(most, distinct);
    all += distinct;
  }
  for (const std::uint64_t bits : {1, 2, 4, 8})
    if (most <= std::int64_t{1} << bits)
      return whole_bytes(symbols.size() * bits) + static_cast<std::uint64_t>(all) * value_size;
  return std::nullopt;
}

std::uint64_t packed_bytes(const Tensor& tensor, const std::vector<std::int64_t>& symbols,
                           int bits) {
  std::uint64_t least = whole_bytes(symbols.size() * static_cast<std::uint64_t>(bits));
  const auto channels = static_cast<std::size_t>(tensor.shape.empty() ? 1 : tensor.shape[0]);
  for (const std::size_t tables : {std::size_t{1}, channels})
    if (const auto bytes = codebook_bytes(symbols, tables, size_of(tensor.type)))
      least = std::min(least, *bytes);
  return least;
}

}  // namespace

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

WeightTensor constant_input(const Model& model, const Node& node, std::size_t index) {
  if (index >= node.inputs.size()) return {};
  return find_constant(model, producers_of(model), node, node.inputs[index]);
}

std::vector<WeightTensor> weight_tensors(const Model& model) {
  const Producers producers = producers_of(model);
  std::vector<WeightTensor> weights;
  std::set<const Tensor*> seen;
  for (const auto& node : model.nodes) {
    if (!takes_weights(node)) continue;
    // The third input is the bias. A matrix product may have its constant on either side.
    for (const auto& input :
         std::span(node.inputs).first(std::min<std::size_t>(2, node.inputs.size()))) {
      const WeightTensor found = find_constant(model, producers, node, input);
      if (found.tensor && found.tensor->shape.size() >= 2 && seen.insert(found.tensor).second)
        weights.push_back(found);
    }
  }
  return weights;
}

std::vector<WeightStatistics> weight_statistics(const Model& model) {
  std::vector<WeightStatistics> statistics;
  for (const WeightTensor& weights : weight_tensors(model)) {
    const auto symbols = symbols_of(*weights.tensor);
    const int bits = packed_bits(weights);
    statistics.push_back({.layer = weights.layer->name,
                          .tensor = weights.tensor->name,
                          .type = weights.tensor->type,
                          .count = static_cast<std::int64_t>(symbols.size()),
                          .zeros = std::ranges::count(symbols, weights.zero),
                          .distinct = count_distinct(symbols),
                          .bits = bits,
                          .bytes = packed_bytes(*weights.tensor, symbols, bits)});
  }
  return statistics;
}

}  // namespace assay::onnx
