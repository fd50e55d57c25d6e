#include "tests/targets/kernels/fuzzed_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/graph/float_form.hpp"
#include "tests/targets/graph/output_spread.hpp"

namespace assay::test {
namespace {

/// Numbers that are the same on every machine (std distributions are not).
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  int in(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<std::uint32_t>(high - low + 1));
  }
  bool percent(int share) { return in(1, 100) <= share; }
  template <class T, std::size_t size>
  T one_of(const T (&values)[size]) {
    return values[in(0, static_cast<int>(size) - 1)];
  }

 private:
  std::mt19937 engine_;
};

constexpr int most_values = 3000;   ///< of a tensor
constexpr int most_weights = 4000;  ///< of a layer

WeightFill draw_fill(Dice& dice) {
  using enum WeightFill;
  constexpr WeightFill likely[] = {random,     int4,       ternary,    blocks75,
                                   clusters16, clusters64, scattered90};
  constexpr WeightFill rare[] = {
      lowest, highest, alternating, blocks50, blocks50_clusters16, blocks75_clusters16};
  return dice.percent(70) ? dice.one_of(likely) : dice.one_of(rare);
}

IntegerOp draw_op(Dice& dice) {
  using enum IntegerOp;
  constexpr IntegerOp ops[] = {convolution, convolution, convolution, convolution,  convolution,
                               dense,       dense,       depthwise,   depthwise,    depthwise,
                               depthwise,   max_pool,    max_pool,    average_pool, average_pool};
  constexpr IntegerOp plain[] = {add, multiply, concat, lookup};
  return dice.percent(94) ? dice.one_of(ops) : dice.one_of(plain);
}

/// One direction of a window over `size` inputs, which grow until the window fits.
struct Axis {
  int size;
  int kernel = 1;
  int stride = 1;
  int before = 0;  ///< padding
  int after = 0;
};

/// Where the other direction has a kernel already, this one often has the same.
Axis draw_axis(Dice& dice, int other_kernel) {
  Axis axis{dice.percent(15) ? 1 : dice.in(1, 13)};
  axis.kernel = dice.percent(40) ? 3 : dice.in(1, 7);
  if (other_kernel != 0 && dice.percent(60)) axis.kernel = other_kernel;
  axis.stride = dice.percent(50) ? 1 : dice.in(1, 3);
  if (dice.percent(12)) axis.stride = axis.kernel + dice.in(1, 2);
  if (dice.percent(60)) {
    axis.before = dice.in(0, axis.kernel - 1);
    axis.after = dice.percent(50) ? axis.before : dice.in(0, axis.kernel - 1);
  }
  axis.size = std::max(axis.size, axis.kernel - axis.before - axis.after);
  return axis;
}

int draw_channels(Dice& dice) {
  constexpr int round[] = {4, 8, 16, 24, 32, 64};
  return dice.percent(30) ? dice.one_of(round) : dice.percent(60) ? dice.in(1, 9) : dice.in(1, 70);
}

bool slides(IntegerOp op) {
  using enum IntegerOp;
  return op == convolution || op == depthwise || op == max_pool || op == average_pool;
}

SingleLayer draw_shape(Dice& dice) {
  SingleLayer shape;
  shape.op = draw_op(dice);
  const Axis vertical = draw_axis(dice, 0);
  const Axis horizontal = draw_axis(dice, vertical.kernel);
  shape.height = vertical.size;
  shape.width = horizontal.size;
  shape.channels = draw_channels(dice);
  shape.out_channels = draw_channels(dice);
  if (shape.op == IntegerOp::dense && dice.percent(60)) {
    shape.height = shape.width = 1;
    shape.channels *= dice.in(1, 9);
  }
  if (slides(shape.op))
    shape.window = {vertical.kernel, horizontal.kernel, vertical.stride, horizontal.stride,
                    vertical.before, horizontal.before, vertical.after,  horizontal.after};
  return shape;
}

/// Halves channels until tensors and weights are as small as they shall be.
IntegerGraph build(SingleLayer shape, std::uint32_t seed, WeightFill fill) {
  for (;;) {
    IntegerGraph graph = single_layer_graph(shape, seed, fill);
    const bool large_output = graph.tensors[1].size() > most_values;
    const bool large =
        graph.tensors[0].size() > most_values || graph.layers[0].weights.size() > most_weights;
    if (!large && !large_output) return graph;
    const bool makes_channels = shape.op == IntegerOp::convolution || shape.op == IntegerOp::dense;
    if ((large || !makes_channels) && shape.channels > 1)
      shape.channels /= 2;
    else
      shape.out_channels /= 2;
  }
}

/// Filters of one value, and weights of which few are left.
void spoil_weights(Dice& dice, IntegerLayer& layer) {
  std::vector<std::int8_t>& weights = layer.weights;
  const std::size_t filters = layer.requantization.bias.size();
  if (dice.percent(15)) {
    const int density = dice.in(0, 60);
    for (std::int8_t& w : weights)
      if (!dice.percent(density)) w = 0;
  }
  constexpr std::int8_t whole[] = {0, 0, 0, 127, -127, 1};
  if (!dice.percent(35)) return;
  const std::int8_t value = dice.one_of(whole);
  const auto which = static_cast<std::size_t>(dice.in(0, static_cast<int>(filters) - 1));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const bool mine = layer.op == IntegerOp::depthwise ? i % filters == which
                                                       : i / (weights.size() / filters) == which;
    if (mine) weights[i] = value;
  }
}

/// b', P, m and R as ARITHMETIC.md allows them for these very weights: small and dwarfing biases, m
/// from 1 to 2^15, outputs that spread over int8 and some that are always beyond it.
void draw_requantization(Dice& dice, IntegerLayer& layer) {
  Requantization& r = layer.requantization;
  const std::vector<SumRange> ranges = sum_ranges(layer);
  const bool dwarfing = dice.percent(12), any_scale = dice.percent(25);
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    const int spread = static_cast<int>(ranges[c].deviation) + 1;
    r.bias[c] = dice.in(-spread, spread) + (dwarfing ? dice.in(-(1 << 27), 1 << 27) : 0);
    r.multiplier[c] = any_scale ? dice.in(1, (1 << 15) - 1) : dice.in(1 << 14, (1 << 15) - 1);
  }
  spread_outputs(layer);
}

/// The same for int16 tensors: P is 0 where 32 bits hold the sums and b'.
void draw_wide_requantization(Dice& dice, IntegerLayer& layer) {
  Requantization& r = layer.requantization;
  const auto filters = r.bias.size();
  const auto filter = layer.weights.size() / filters;
  const bool dwarfing = dice.percent(12), any_scale = dice.percent(25);
  std::vector<std::int64_t> magnitudes(filters, 0);
  for (std::size_t i = 0; i < layer.weights.size(); ++i)
    magnitudes[layer.op == IntegerOp::depthwise ? i % filters : i / filter] +=
        std::abs(layer.weights[i]);
  std::int64_t farthest = 0;
  double widest = 1;
  for (std::size_t c = 0; c < filters; ++c) {
    const auto deviation =
        18918 * std::sqrt(double(magnitudes[c]) * double(magnitudes[c]) / double(filter));
    const int spread = static_cast<int>(std::min(deviation, 1e9)) + 1;
    r.bias[c] = dice.in(-spread, spread);
    if (dwarfing) r.bias[c] += std::int64_t{dice.in(-(1 << 27), 1 << 27)} * 4096;
    r.multiplier[c] = any_scale ? dice.in(1, 0x7ffffffe) : dice.in(1 << 30, 0x7fffffff);
    farthest = std::max(farthest, 32768 * magnitudes[c] + std::abs(r.bias[c]));
    widest = std::max(widest, deviation * r.multiplier[c]);
  }
  r.accumulator_shift = 0;
  while (farthest >> r.accumulator_shift >= std::int64_t{1} << 31)
    ++r.accumulator_shift;
  r.output_shift = 1;
  while (r.output_shift < 46 && std::ldexp(widest, -r.accumulator_shift - r.output_shift) > 20000)
    ++r.output_shift;
}

/// m and R of sums, products and concatenations over int16 tensors, from the ends of their ranges
/// too; b' follows from R.
void draw_wide_scales(Dice& dice, IntegerLayer& layer) {
  Requantization& r = layer.requantization;
  if (r.multiplier.empty()) return;
  r.output_shift = dice.percent(80) ? dice.in(28, 36) : dice.in(1, 46);
  for (std::int32_t& m : r.multiplier) {
    m = dice.percent(70) ? dice.in(1 << 28, 0x7fffffff) : dice.in(0, 0x7ffffffe);
    if (dice.percent(15)) m = (m & ~0xffff) + dice.in(0x7ffe, 0x8002);
  }
  std::ranges::fill(r.bias, std::int64_t{1} << (r.output_shift - 1));
}

void draw_clamp(Dice& dice, IntegerLayer& layer) {
  if (layer.op == IntegerOp::max_pool || layer.op == IntegerOp::lookup || !dice.percent(40)) return;
  const int lowest = layer.clamp_min, highest = layer.clamp_max;
  layer.clamp_min = static_cast<std::int16_t>(dice.in(lowest, highest / 6));
  layer.clamp_max = static_cast<std::int16_t>(dice.in(layer.clamp_min, highest));
}

std::string describe(std::uint32_t seed, const IntegerGraph& graph) {
  const Window& w = graph.layers[0].window;
  const ActivationTensor &in = graph.tensors[0], &out = graph.tensors[1];
  return fmt::format(
      "seed {}: {} {} {}x{}x{} to {}x{}x{}, window {}x{} stride {},{} pad {},{},{},{}", seed,
      to_string(in.element), to_string(graph.layers[0].op), in.height, in.width, in.channels,
      out.height, out.width, out.channels, w.kernel_height, w.kernel_width, w.stride_height,
      w.stride_width, w.pad_top, w.pad_left, w.pad_bottom, w.pad_right);
}

}  // namespace

NamedGraph fuzzed_layer(std::uint32_t seed) {
  Dice dice(seed);
  SingleLayer shape = draw_shape(dice);
  const bool wide = seed % 4 == 0;
  if (wide) shape.element = Element::int16;
  IntegerGraph graph = build(shape, seed, draw_fill(dice));
  constexpr std::int8_t ends[] = {-128, 127, 0};
  if (!wide && dice.percent(40)) graph.tensors[0].zero_point = dice.one_of(ends);
  IntegerLayer& layer = graph.layers[0];
  if (has_weights(layer.op)) {
    spoil_weights(dice, layer);
    (wide ? draw_wide_requantization : draw_requantization)(dice, layer);
  } else if (wide) {
    draw_wide_scales(dice, layer);
  }
  draw_clamp(dice, layer);
  if (seed % 8 == 5) graph = in_float(graph, float_forms[seed / 8 % std::size(float_forms)]);
  return {describe(seed, graph), std::move(graph)};
}

}  // namespace assay::test
