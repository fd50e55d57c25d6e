#include "tests/targets/build/test_network.hpp"

#include <random>
#include <stdexcept>

#include "harness/core/hash.hpp"

namespace assay::test {
namespace {

std::vector<std::int8_t> random_bytes(std::size_t count, int limit, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::int8_t> values(count);
  for (auto& value : values)
    value = static_cast<std::int8_t>(static_cast<int>(random() % (2 * limit + 1)) - limit);
  return values;
}

/// Shifts and multipliers that spread random accumulators over most of int8.
Requantization spread(int channels, int output_shift) {
  Requantization requantization;
  requantization.accumulator_shift = 4;
  requantization.output_shift = output_shift;
  for (int c = 0; c < channels; ++c) {
    requantization.multiplier.push_back(16384 + 97 * c);
    requantization.bias.push_back(1000 * c - 3000);
  }
  return requantization;
}

IntegerLayer convolution(int channels) {
  IntegerLayer layer;
  layer.name = "conv";
  layer.op = IntegerOp::convolution;
  layer.inputs = {0};
  layer.output = 1;
  layer.window = {3, 3, 1, 1, 1, 1, 1, 1};
  layer.weights = random_bytes(static_cast<std::size_t>(channels) * 9, 127, 1);
  layer.requantization = spread(channels, 17);
  layer.clamp_min = -128;
  layer.macs = Macs(static_cast<std::uint64_t>(12 * 12 * 9) * channels);
  return layer;
}

IntegerLayer pool() {
  IntegerLayer layer;
  layer.name = "pool";
  layer.op = IntegerOp::max_pool;
  layer.inputs = {1};
  layer.output = 2;
  layer.window = {2, 2, 2, 2, 0, 0, 0, 0};
  return layer;
}

IntegerLayer dense(int channels) {
  IntegerLayer layer;
  layer.name = "dense";
  layer.op = IntegerOp::dense;
  layer.inputs = {2};
  layer.output = 3;
  layer.weights = random_bytes(static_cast<std::size_t>(10 * 6 * 6 * channels), 127, 2);
  layer.requantization = spread(10, 20);
  layer.macs = Macs(static_cast<std::uint64_t>(10 * 6 * 6) * channels);
  return layer;
}

}  // namespace

IntegerGraph small_network(int channels) {
  IntegerGraph graph;
  graph.tensors = {{"input", 12, 12, 1, 0.02f, -3},
                   {"features", 12, 12, channels, 0.05f, -128},
                   {"pooled", 6, 6, channels, 0.05f, -128},
                   {"logits", 1, 1, 10, 0.1f, 4}};
  graph.layers = {convolution(channels), pool(), dense(channels)};
  graph.input = 0;
  graph.output = 3;
  return graph;
}

std::vector<std::int8_t> seeded_inputs(const IntegerGraph& graph, int count) {
  const auto size = static_cast<std::size_t>(graph.tensors[graph.input].size());
  const auto integers = random_bytes(size * count, 127, 3);
  if (graph.tensors[graph.input].element == Element::int8) return integers;
  if (graph.tensors[graph.input].element == Element::int16)
    return random_bytes(2 * size * count, 127, 3);
  std::vector<float> reals;
  for (const std::int8_t value : integers)
    reals.push_back(0.0237f * static_cast<float>(value));
  return bytes_of(reals);
}

GeneratedModel generate_for(const IntegerGraph& graph, const Core& core) {
  auto model = generate(graph, &core, sha256_hex("small network"));
  if (!model) throw std::runtime_error(model.error().message);
  return *model;
}

}  // namespace assay::test
