#include "targets/pack/bench_shapes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

namespace assay {
namespace {

/// Numbers in [low, high], the same on every machine (std distributions are not).
class Source {
 public:
  explicit Source(std::uint32_t seed) : engine_(seed) {}
  int in(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<std::uint32_t>(high - low + 1));
  }

 private:
  std::mt19937 engine_;
};

int output_length(int in, int kernel, int stride, int pads) {
  return (in + pads - kernel) / stride + 1;
}

ActivationTensor output_tensor(const SingleLayer& shape) {
  const Window& w = shape.window;
  ActivationTensor out{.name = "out", .channels = shape.channels};
  if (shape.op == IntegerOp::convolution || shape.op == IntegerOp::dense)
    out.channels = shape.out_channels;
  if (shape.op == IntegerOp::dense) return out;
  out.height =
      output_length(shape.height, w.kernel_height, w.stride_height, w.pad_top + w.pad_bottom);
  out.width = output_length(shape.width, w.kernel_width, w.stride_width, w.pad_left + w.pad_right);
  return out;
}

/// Weights that make one output.
int window_inputs(const SingleLayer& shape) {
  const int positions = shape.window.kernel_height * shape.window.kernel_width;
  if (shape.op == IntegerOp::dense) return shape.height * shape.width * shape.channels;
  return shape.op == IntegerOp::convolution ? positions * shape.channels : positions;
}

std::vector<std::int8_t> make_weights(std::int64_t count, WeightFill fill, Source& source) {
  std::vector<std::int8_t> weights(static_cast<std::size_t>(count));
  int index = 0;
  for (std::int8_t& w : weights) {
    switch (fill) {
      case WeightFill::random:
        w = static_cast<std::int8_t>(source.in(-127, 127));
        break;
      case WeightFill::lowest:
        w = -127;
        break;
      case WeightFill::highest:
        w = 127;
        break;
      case WeightFill::alternating:
        w = index++ % 2 ? 127 : -127;
        break;
    }
  }
  return weights;
}

/// P, R, m and b' for `channels` outputs of `inputs` full-range products each (ARITHMETIC.md,
/// "Ranges", with the bound that holds for any weights).
Requantization make_requantization(int channels, int inputs, Source& source) {
  Requantization r;
  const std::int64_t bound = std::int64_t{128} * 127 * inputs;
  // The standard deviation of a sum of products of uniform int8 values.
  const double deviation = 74.0 * 74.0 * std::sqrt(inputs);
  const int largest_bias = static_cast<int>(deviation);
  while ((bound + largest_bias) >> r.accumulator_shift >= 1 << 16)
    ++r.accumulator_shift;
  // Twice that shall come out as about 100.
  const double scaled = 2 * deviation / (1 << r.accumulator_shift) * (3 << 13);
  while (scaled / static_cast<double>(std::int64_t{1} << r.output_shift) > 100)
    ++r.output_shift;
  r.output_shift = std::clamp(r.output_shift, 1, 31);
  for (int c = 0; c < channels; ++c) {
    r.multiplier.push_back(source.in(1 << 14, (1 << 15) - 1));
    r.bias.push_back(source.in(-largest_bias, largest_bias));
  }
  return r;
}

/// m and b' of a sum of `terms` activations (ARITHMETIC.md, "Sum of products").
Requantization make_sum_requantization(int multipliers, int terms, Source& source) {
  Requantization r;
  r.output_shift = 14;
  for (int i = 0; i < multipliers; ++i)
    r.multiplier.push_back(source.in(1 << 13, (1 << 14) - 1) / terms);
  r.bias.push_back(source.in(-1000000, 1000000));
  return r;
}

Requantization requantization_for(const SingleLayer& shape, int channels, Source& source) {
  switch (shape.op) {
    case IntegerOp::max_pool:
      return {};
    case IntegerOp::average_pool:
      return make_sum_requantization(1, window_inputs(shape), source);
    case IntegerOp::add:
      return make_sum_requantization(2, 1, source);
    default:
      return make_requantization(channels, window_inputs(shape), source);
  }
}

bool has_weights(IntegerOp op) {
  return op == IntegerOp::convolution || op == IntegerOp::depthwise || op == IntegerOp::dense;
}

}  // namespace

IntegerGraph single_layer_graph(const SingleLayer& shape, std::uint32_t seed, WeightFill fill) {
  Source source(seed);
  IntegerGraph graph;
  graph.tensors.push_back({.name = "in",
                           .height = shape.height,
                           .width = shape.width,
                           .channels = shape.channels,
                           .scale = 1,
                           .zero_point = static_cast<std::int8_t>(source.in(-128, 127))});
  IntegerLayer layer;
  layer.op = shape.op;
  layer.name = to_string(shape.op);
  layer.inputs = {0};
  if (shape.op == IntegerOp::add) layer.inputs.push_back(0);
  const ActivationTensor out = output_tensor(shape);
  graph.tensors.push_back(out);
  graph.output = layer.output = 1;
  layer.window = shape.window;
  const int filters = shape.op == IntegerOp::depthwise ? shape.channels : out.channels;
  if (has_weights(shape.op)) {
    layer.weights = make_weights(std::int64_t{filters} * window_inputs(shape), fill, source);
    layer.macs = Macs(static_cast<std::uint64_t>(out.size() * window_inputs(shape)));
  }
  layer.requantization = requantization_for(shape, out.channels, source);
  graph.layers.push_back(std::move(layer));
  return graph;
}

std::array<BenchShape, 4> bench_shapes() {
  const Window pointwise;
  const Window three{.kernel_height = 3,
                     .kernel_width = 3,
                     .pad_top = 1,
                     .pad_left = 1,
                     .pad_bottom = 1,
                     .pad_right = 1};
  return {
      {{"conv 3x3 16->16 16x16",
        {IntegerOp::convolution, 16, 16, 16, 16, three},
        7.554,
        2.328,
        2.336},
       {"conv 1x1 64->64 8x8",
        {IntegerOp::convolution, 8, 8, 64, 64, pointwise},
        7.598,
        2.111,
        2.076},
       {"depthwise 3x3 64 8x8", {IntegerOp::depthwise, 8, 8, 64, 64, three}, 35.431, 8.343, 8.240},
       {"dense 256->64", {IntegerOp::dense, 1, 1, 256, 64, pointwise}, 6.427, 2.076, 2.077}}};
}

}  // namespace assay
