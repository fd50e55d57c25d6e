#include "tests/targets/kernels/awkward_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "targets/pack/bench_shapes.hpp"

namespace assay::test {
namespace {

constexpr IntegerOp conv = IntegerOp::convolution;
constexpr IntegerOp dense = IntegerOp::dense;
constexpr IntegerOp depthwise = IntegerOp::depthwise;
constexpr IntegerOp max_pool = IntegerOp::max_pool;
constexpr IntegerOp average_pool = IntegerOp::average_pool;

/// A square window.
Window window(int kernel, int stride = 1, int pad = 0) {
  return {kernel, kernel, stride, stride, pad, pad, pad, pad};
}

// op, input height x width x channels, output channels, window.
const SingleLayer shapes[] = {
    // The plain ones, with every tail of channels.
    {conv, 5, 6, 4, 4, window(3, 1, 1)},
    {conv, 5, 5, 3, 5, window(3, 1, 1)},
    {conv, 4, 7, 5, 3, window(3, 1, 1)},
    {conv, 6, 5, 6, 7, window(3, 1, 1)},
    {conv, 5, 5, 7, 2, window(3, 1, 1)},
    {conv, 6, 6, 8, 1, window(3, 1, 1)},
    {conv, 4, 4, 14, 11, window(3, 1, 1)},
    {conv, 3, 3, 11, 14, window(1)},
    {conv, 3, 5, 1, 1, window(1)},
    {conv, 3, 4, 37, 9, window(1)},
    // First layers.
    {conv, 9, 9, 1, 8, window(3, 1, 1)},
    {conv, 8, 9, 1, 6, window(5, 1, 2)},
    {conv, 7, 8, 2, 4, window(3, 2, 1)},
    {conv, 8, 8, 3, 8, window(3, 2, 1)},
    // Strides, lopsided padding and kernels, padding wider than the input.
    {conv, 9, 8, 4, 6, {3, 3, 2, 2, 0, 0, 1, 1}},
    {conv, 8, 7, 8, 4, {2, 3, 2, 1, 1, 2, 0, 0}},
    {conv, 7, 7, 4, 4, {1, 5, 1, 3, 0, 2, 0, 2}},
    {conv, 8, 6, 4, 4, {5, 1, 3, 1, 2, 0, 2, 0}},
    {conv, 2, 2, 4, 4, window(5, 1, 2)},
    {conv, 3, 3, 6, 3, window(7, 1, 3)},
    {conv, 8, 8, 16, 8, window(3, 3)},
    {conv, 6, 6, 8, 8, window(1, 2)},
    // Several patches: wide and tall outputs, strides, tails of channels and of columns.
    {conv, 15, 17, 15, 13, window(3, 1, 1)},
    {conv, 12, 21, 5, 2, window(3, 1, 1)},
    {conv, 16, 16, 6, 4, window(3, 2, 1)},
    {conv, 13, 22, 7, 3, window(5, 1, 2)},
    {conv, 11, 16, 9, 1, window(3, 2, 0)},
    {conv, 9, 14, 6, 6, {2, 4, 3, 3, 1, 2, 1, 2}},
    {conv, 12, 13, 18, 4, window(1, 2)},
    {conv, 9, 9, 33, 5, window(1)},
    {conv, 3, 6, 41, 9, window(1)},
    {conv, 2, 2, 2, 1367, window(1)},
    // Tiles of 2x2 that overlap, and more channels than are transformed at a time.
    {conv, 3, 9, 4, 2, window(3, 1, 1)},
    {conv, 7, 11, 32, 10, window(3)},
    {conv, 5, 19, 12, 34, {3, 3, 1, 1, 2, 0, 1, 2}},
    // One to five output pixels.
    {conv, 1, 1, 8, 6, window(1)},
    {conv, 3, 3, 4, 5, window(3)},
    {conv, 1, 2, 12, 4, window(1)},
    {conv, 3, 5, 2, 3, window(3)},
    {conv, 1, 5, 4, 2, window(1)},
    // More inputs than one sum of two channels holds.
    {conv, 3, 3, 64, 4, window(3, 1, 1)},
    {conv, 2, 2, 600, 3, window(1)},
    // Windows too long for scratch memory, in parts and with every tail of inputs.
    {conv, 3, 4, 129, 9, window(3, 1, 1)},
    {conv, 5, 3, 118, 16, {3, 3, 2, 1, 0, 1, 1, 0}},
    {conv, 1, 3, 1039, 7, window(1)},
    {conv, 6, 6, 60, 10, window(6)},
    {conv, 2, 2, 300, 260, window(1)},
    {conv, 2, 2, 128, 66, window(3, 1, 1)},
    {conv, 2, 3, 530, 5, {1, 2, 1, 1, 0, 0, 0, 1}},
    {dense, 1, 1, 2049, 9, {}},
    {dense, 5, 5, 83, 4, {}},
    {dense, 1, 1, 1, 1, {}},
    {dense, 1, 1, 3, 2, {}},
    {dense, 1, 1, 17, 3, {}},
    {dense, 2, 2, 5, 5, {}},
    {dense, 1, 1, 40, 8, {}},
    {dense, 1, 1, 64, 10, {}},
    {dense, 1, 3, 10, 12, {}},
    {dense, 1, 1, 31, 15, {}},
    {dense, 3, 3, 16, 17, {}},
    {dense, 5, 5, 64, 10, {}},
    {dense, 1, 1, 45, 7, {}},
    {dense, 1, 1, 530, 14, {}},
    {dense, 1, 1, 29, 23, {}},
    {dense, 1, 1, 12, 6, {}},
    {depthwise, 6, 6, 4, 4, window(3, 1, 1)},
    {depthwise, 5, 7, 8, 8, window(3, 1, 1)},
    {depthwise, 7, 5, 3, 3, window(3, 1, 1)},
    {depthwise, 6, 9, 5, 5, window(3, 2, 1)},
    {depthwise, 8, 8, 8, 8, {3, 3, 2, 2, 0, 0, 1, 1}},
    {depthwise, 5, 6, 12, 12, window(5, 1, 2)},
    {depthwise, 4, 4, 1, 1, window(3, 1, 1)},
    {depthwise, 3, 3, 16, 16, window(3)},
    {depthwise, 2, 3, 4, 4, window(3, 1, 1)},
    {depthwise, 1, 1, 4, 4, window(3, 1, 1)},
    // A single row of outputs, as a low strip makes it.
    {depthwise, 3, 9, 8, 8, {3, 3, 1, 1, 0, 1, 0, 1}},
    {depthwise, 2, 25, 6, 6, {3, 3, 1, 2, 1, 1, 0, 1}},
    {conv, 3, 9, 1, 6, {3, 3, 1, 1, 0, 1, 0, 1}},
    {conv, 1, 21, 1, 5, window(3, 1, 1)},
    {depthwise, 7, 6, 6, 6, {2, 3, 1, 2, 1, 0, 0, 1}},
    {depthwise, 4, 4, 7, 7, window(4)},
    // Rows of outputs too long for one iteration, planes too large for one band, odd heights.
    {depthwise, 9, 11, 5, 5, window(3, 1, 1)},
    {depthwise, 13, 18, 4, 4, window(3, 1, 1)},
    {depthwise, 12, 25, 6, 6, {3, 3, 1, 2, 0, 1, 1, 1}},
    {depthwise, 15, 19, 7, 7, {3, 3, 2, 1, 1, 0, 1, 1}},
    {depthwise, 16, 34, 4, 4, window(3, 2, 1)},
    {depthwise, 5, 4, 4, 4, window(3, 1, 2)},
    {depthwise, 2, 3, 850, 850, window(3, 1, 1)},
    {depthwise, 1, 5, 1025, 1025, window(3, 1, 1)},
    // Rows too wide for scratch memory: strips, the last one shifted back, padding on one side and
    // wider than the window's overlap, strips of a single output.
    {depthwise, 3, 175, 5, 5, window(3, 1, 1)},
    {depthwise, 4, 345, 4, 4, {3, 3, 1, 1, 0, 1, 0, 0}},
    {depthwise, 5, 131, 6, 6, window(7, 2, 3)},
    {depthwise, 2, 223, 4, 4, {5, 4, 1, 3, 2, 0, 2, 5}},
    {depthwise, 1, 40, 4, 4, {31, 16, 1, 1, 15, 3, 15, 9}},
    {depthwise, 1, 70, 5, 5, {31, 16, 1, 1, 15, 16, 15, 15}},
    {max_pool, 6, 6, 8, 8, window(2, 2)},
    {max_pool, 7, 5, 5, 5, window(3, 2, 1)},
    {max_pool, 4, 4, 3, 3, window(4)},
    {average_pool, 6, 6, 8, 8, window(2, 2)},
    {average_pool, 7, 5, 5, 5, window(3, 2, 1)},
    {average_pool, 5, 5, 6, 6, window(5)},
    {IntegerOp::add, 3, 3, 7, 7, {}},
    {IntegerOp::multiply, 3, 5, 7, 7, {}},
    {IntegerOp::concat, 4, 3, 5, 5, {}},
    {IntegerOp::lookup, 3, 3, 7, 7, {}},
    {IntegerOp::add, 4, 5, 2, 2, {}},
    {IntegerOp::add, 1, 1, 3, 3, {}},
};

// Layers for packed weights: tails of inputs and channels, tiles of one pixel up to several tiles,
// windows and inputs that are summed in parts.
const SingleLayer packed_shapes[] = {
    {conv, 5, 5, 3, 5, window(3, 1, 1)},
    {conv, 9, 9, 1, 8, window(3, 2, 1)},
    {conv, 1, 5, 37, 9, window(1)},
    {conv, 3, 3, 8, 6, window(3)},
    {conv, 7, 9, 16, 4, window(3, 1, 1)},
    {conv, 6, 5, 40, 3, {3, 2, 2, 1, 1, 0, 0, 1}},
    {conv, 3, 3, 64, 4, window(3, 1, 1)},
    {conv, 2, 3, 70, 11, window(3, 1, 1)},
    {conv, 1, 3, 517, 8, window(1)},
    {dense, 1, 1, 3, 9, {}},
    {dense, 1, 1, 31, 15, {}},
    {dense, 2, 3, 105, 5, {}},
    {conv, 2, 2, 258, 6, window(3, 1, 1)},
    {dense, 1, 1, 2110, 9, {}},
    {depthwise, 5, 6, 9, 9, window(3, 1, 1)},
    {depthwise, 9, 11, 14, 14, {3, 3, 2, 1, 1, 0, 1, 1}},
    {depthwise, 6, 5, 7, 7, {2, 5, 1, 3, 1, 2, 0, 2}},
    {depthwise, 4, 3, 22, 22, window(3, 3)},
    {depthwise, 1, 1, 75, 75, window(1)},
};
constexpr WeightFill packed_fills[] = {WeightFill::int4, WeightFill::ternary,
                                       WeightFill::clusters16, WeightFill::clusters64};
// Tails of blocks, fields and words; more than one tile; windows of one pixel; gaps in rows.
const SingleLayer compressed_shapes[] = {
    {conv, 5, 6, 4, 4, window(3, 1, 1)},
    {conv, 5, 5, 3, 5, window(3, 1, 1)},
    {conv, 9, 9, 1, 6, window(3, 2, 1)},
    {conv, 7, 7, 14, 11, window(3, 1, 1)},
    {conv, 3, 5, 37, 9, window(1)},
    {conv, 1, 1, 8, 6, window(1)},
    {conv, 1, 2, 64, 3, window(1)},
    {conv, 10, 10, 64, 5, window(1)},
    {conv, 3, 3, 300, 3, window(1)},
    {conv, 1, 1, 1040, 3, window(1)},
    {dense, 1, 1, 5, 3, {}},
    {dense, 1, 1, 64, 10, {}},
    {dense, 3, 3, 15, 17, {}},
    {dense, 1, 1, 1100, 4, {}},
    {depthwise, 6, 5, 33, 33, window(3, 1, 1)},
    {depthwise, 7, 6, 18, 18, {5, 2, 2, 1, 1, 0, 2, 1}},
};

std::string describe(const SingleLayer& s) {
  return fmt::format("{} {}x{} {}x{}x{}->{} stride {},{} pad {},{},{},{}", to_string(s.op),
                     s.window.kernel_height, s.window.kernel_width, s.height, s.width, s.channels,
                     s.out_channels, s.window.stride_height, s.window.stride_width,
                     s.window.pad_top, s.window.pad_left, s.window.pad_bottom, s.window.pad_right);
}

/// A layer with what compression leaves of the weights, and one with empty channels and long ways
/// between two weights, for every shape.
std::vector<NamedGraph> sparse_layers(std::uint32_t seed) {
  const SingleLayer sparse_shapes[] = {
      {conv, 6, 11, 12, 5, window(3, 1, 1)},
      {conv, 5, 7, 7, 4, window(3, 1, 1)},
      {conv, 9, 17, 8, 6, window(3, 2, 1)},
      {conv, 4, 9, 16, 3, {2, 5, 1, 3, 0, 2, 1, 2}},
      {conv, 2, 3, 40, 3, window(3, 1, 1)},
      {conv, 2, 5, 117, 4, window(3, 1, 1)},
      {conv, 3, 5, 70, 7, window(1)},
      {conv, 5, 5, 24, 9, window(1, 2)},
      {dense, 1, 1, 520, 11, {}},
      {dense, 3, 3, 10, 4, {}},
  };
  const WeightFill fills[] = {WeightFill::blocks50, WeightFill::blocks75, WeightFill::scattered90,
                              WeightFill::blocks75_clusters16};
  std::vector<NamedGraph> layers;
  for (const SingleLayer& shape : sparse_shapes) {
    const WeightFill fill = fills[seed % std::size(fills)];
    layers.push_back({describe(shape) + fmt::format(" weights {}", static_cast<int>(fill)),
                      single_layer_graph(shape, seed++, fill)});
    NamedGraph last{describe(shape) + " with the last weight of every second channel",
                    single_layer_graph(shape, seed++)};
    std::vector<std::int8_t>& weights = last.graph.layers[0].weights;
    const std::size_t size = weights.size() / static_cast<std::size_t>(shape.out_channels);
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = i % (2 * size) == size - 1 ? 127 : 0;
    layers.push_back(std::move(last));
  }
  return layers;
}

/// Two inputs joined, of which one or both pass unchanged, in whole words and in others.
std::vector<NamedGraph> joined_copies(Element element, std::uint32_t seed) {
  std::vector<NamedGraph> layers;
  for (const int channels : {8, 5})
    for (const unsigned unchanged : {1u, 2u, 3u}) {
      SingleLayer shape{IntegerOp::concat, 4, 3, channels, channels, {}};
      shape.element = element;
      layers.push_back({describe(shape) + fmt::format(" unchanged {}", unchanged),
                        single_layer_graph(shape, seed++)});
      Requantization& r = layers.back().graph.layers[0].requantization;
      r.output_shift = element == Element::int16 ? 30 : 14;
      for (std::size_t i = 0; i < r.multiplier.size(); ++i)
        if (unchanged >> i & 1) {
          r.multiplier[i] = 1 << r.output_shift;
          r.bias[i] = 1 << (r.output_shift - 1);
        }
    }
  return layers;
}

}  // namespace

LayerView view_of(const IntegerGraph& graph) {
  return {graph, graph.layers[0]};
}

std::vector<NamedGraph> awkward_layers() {
  std::vector<NamedGraph> layers;
  std::uint32_t seed = 1;
  for (const SingleLayer& shape : shapes) {
    layers.push_back({describe(shape), single_layer_graph(shape, seed++)});
    // A fused activation on every third.
    if (seed % 3 == 0 && shape.op != max_pool) {
      layers.back().graph.layers[0].clamp_min = -20;
      layers.back().graph.layers[0].clamp_max = 90;
    }
  }
  // A b' that dwarfs the sums, as a small scale before a large zero point makes it.
  for (const SingleLayer& shape :
       {SingleLayer{conv, 5, 6, 8, 4, window(3, 1, 1)}, SingleLayer{conv, 2, 2, 3, 3, window(1)},
        SingleLayer{dense, 1, 1, 40, 11, {}}}) {
    layers.push_back({describe(shape) + " large bias", single_layer_graph(shape, seed++)});
    Requantization& r = layers.back().graph.layers[0].requantization;
    r.accumulator_shift = 9;
    for (std::size_t c = 0; c < r.bias.size(); ++c)
      r.bias[c] = (c % 2 ? 1 : -1) * (20'000'000 + 1'000 * static_cast<int>(c));
    r.output_shift = 23;
  }
  for (const WeightFill fill : {WeightFill::lowest, WeightFill::highest, WeightFill::alternating})
    for (const SingleLayer& shape :
         {SingleLayer{conv, 4, 5, 57, 4, window(3, 1, 1)},
          SingleLayer{conv, 2, 8, 32, 4, window(3, 1, 1)},
          SingleLayer{conv, 3, 4, 64, 3, window(1)}, SingleLayer{dense, 1, 1, 520, 11, {}},
          SingleLayer{depthwise, 5, 6, 8, 8, window(3, 1, 1)}})
      layers.push_back({describe(shape) + fmt::format(" weights {}", static_cast<int>(fill)),
                        single_layer_graph(shape, seed++, fill)});
  std::ranges::move(sparse_layers(seed), std::back_inserter(layers));
  std::ranges::move(joined_copies(Element::int8, seed), std::back_inserter(layers));
  for (const WeightFill fill : packed_fills)
    for (const SingleLayer& shape : packed_shapes)
      layers.push_back({describe(shape) + fmt::format(" weights {}", static_cast<int>(fill)),
                        single_layer_graph(shape, seed++, fill), fill != packed_fills[0]});
  return layers;
}

std::vector<NamedGraph> wide_awkward_layers() {
  std::vector<NamedGraph> layers;
  std::uint32_t seed = 1;
  const auto add = [&](SingleLayer shape, WeightFill fill, const std::string& what) {
    shape.element = Element::int16;
    layers.push_back({describe(shape) + what, single_layer_graph(shape, seed++, fill)});
  };
  for (const SingleLayer& shape : shapes) {
    add(shape, WeightFill::random, "");
    // A fused activation on every third.
    if (seed % 3 == 0 && shape.op != max_pool && shape.op != IntegerOp::lookup) {
      layers.back().graph.layers[0].clamp_min = -3000;
      layers.back().graph.layers[0].clamp_max = 20000;
    }
    // A b' beyond 32 bits, and m and R as a scale far coarser than the sums makes them.
    if (seed % 5 != 0 || !has_weights(shape.op)) continue;
    add(shape, WeightFill::random, " large bias");
    Requantization& r = layers.back().graph.layers[0].requantization;
    r.accumulator_shift = 6;
    for (std::size_t c = 0; c < r.bias.size(); ++c)
      r.bias[c] = (c % 2 ? 1 : -1) * (30'000'000'000 + 1'000 * static_cast<int>(c));
    r.output_shift = 46;
  }
  // Few bits of m: more than a step of the output for a unit of the sums.
  add({conv, 4, 5, 6, 4, window(3, 1, 1)}, WeightFill::ternary, " small shift");
  layers.back().graph.layers[0].requantization.output_shift = 29;
  for (const WeightFill fill : {WeightFill::lowest, WeightFill::highest, WeightFill::alternating})
    for (const SingleLayer& shape :
         {SingleLayer{conv, 4, 5, 57, 4, window(3, 1, 1)},
          SingleLayer{conv, 4, 5, 59, 5, window(3, 1, 1)},
          SingleLayer{conv, 3, 4, 64, 3, window(1)}, SingleLayer{dense, 1, 1, 520, 11, {}},
          SingleLayer{depthwise, 5, 6, 8, 8, window(3, 1, 1)}})
      add(shape, fill, fmt::format(" weights {}", static_cast<int>(fill)));
  // Planes of several bands, of an even and of an odd number of outputs, with gaps between windows.
  for (const SingleLayer& shape : {SingleLayer{depthwise, 90, 21, 2, 2, window(3, 1, 1)},
                                   SingleLayer{depthwise, 41, 52, 1, 1, {5, 4, 3, 1, 2, 3, 0, 1}},
                                   SingleLayer{depthwise, 13, 17, 5, 5, window(2, 4)},
                                   SingleLayer{depthwise, 9, 12, 4, 4, {2, 7, 1, 2, 1, 6, 1, 5}},
                                   SingleLayer{depthwise, 8, 8, 7, 7, {1, 2, 2, 1, 0, 1, 0, 0}}})
    add(shape, WeightFill::random, "");
  std::ranges::move(wide_sums(), std::back_inserter(layers));
  std::ranges::move(joined_copies(Element::int16, seed), std::back_inserter(layers));
  return layers;
}

std::vector<NamedGraph> compressed_layers(WeightFill fill) {
  std::vector<NamedGraph> layers;
  std::uint32_t seed = 1;
  for (const SingleLayer& shape : compressed_shapes) {
    layers.push_back({describe(shape), single_layer_graph(shape, seed++, fill)});
    // A channel of one value: zero, unless that would be one more value.
    if (seed % 2 != 0) continue;
    IntegerLayer& layer = layers.back().graph.layers[0];
    const auto filter = layer.weights.size() / static_cast<std::size_t>(shape.out_channels);
    const bool counted = fill == WeightFill::clusters16 || fill == WeightFill::clusters64;
    std::fill_n(layer.weights.begin(), filter, counted ? layer.weights[0] : std::int8_t{0});
  }
  return layers;
}

}  // namespace assay::test
