#include "targets/pack/bench_shapes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

#include "targets/pack/kernel.hpp"

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
  ActivationTensor out{.name = "out", .channels = shape.channels, .element = shape.element};
  if (shape.op == IntegerOp::convolution || shape.op == IntegerOp::dense)
    out.channels = shape.out_channels;
  if (shape.op == IntegerOp::concat) out.channels *= 2;
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

/// A pseudo-random weight, or the value all or every second weight has.
std::int8_t draw_weight(WeightFill fill, std::size_t index, Source& source) {
  switch (fill) {
    case WeightFill::lowest:
      return -127;
    case WeightFill::highest:
      return 127;
    case WeightFill::alternating:
      return index % 2 ? -127 : 127;
    case WeightFill::int4:
      return static_cast<std::int8_t>(source.in(-7, 7));
    case WeightFill::ternary:
      return static_cast<std::int8_t>(source.in(-1, 1));
    case WeightFill::clusters16:  // -120, -104 ... 120
      return static_cast<std::int8_t>(source.in(0, 15) * 16 - 120);
    case WeightFill::clusters64:  // -126, -122 ... 126
      return static_cast<std::int8_t>(source.in(0, 63) * 4 - 126);
    case WeightFill::blocks50_clusters16:
    case WeightFill::blocks75_clusters16:  // -105, -90 ... 120
      return static_cast<std::int8_t>(source.in(-7, 8) * 15);
    default:
      return static_cast<std::int8_t>(source.in(-127, 127));
  }
}

/// Zeroes `percent` of the groups of `group` weights that lie side by side, exactly, anywhere.
void prune(std::vector<std::int8_t>& weights, std::size_t group, std::size_t percent,
           Source& source) {
  const std::size_t groups = weights.size() / group;
  std::size_t zeros = groups * percent / 100;
  for (std::size_t left = groups; left > 0; --left) {
    if (source.in(1, static_cast<int>(left)) > static_cast<int>(zeros)) continue;
    std::fill_n(weights.begin() + static_cast<std::ptrdiff_t>((left - 1) * group), group, 0);
    --zeros;
  }
}

std::vector<std::int8_t> make_weights(std::int64_t count, WeightFill fill, Source& source) {
  std::vector<std::int8_t> weights(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = draw_weight(fill, i, source);
  if (fill == WeightFill::blocks50 || fill == WeightFill::blocks50_clusters16)
    prune(weights, 4, 50, source);
  if (fill == WeightFill::blocks75 || fill == WeightFill::blocks75_clusters16)
    prune(weights, 4, 75, source);
  if (fill == WeightFill::scattered90) prune(weights, 1, 90, source);
  return weights;
}

/// What bounds the numbers of requantization over an element's tensors, with margins: P's limit,
/// m's bits, and what sums and outputs are to be like.
struct Ranges {
  std::int64_t largest_input;  ///< magnitude
  double input_deviation;      ///< of uniform elements
  int scaled_bits;             ///< of |(acc + b') >> P|
  int multiplier_bits;         ///< of m
  double typical_output;
};

Ranges ranges_of(Element element) {
  if (element == Element::int16) return {32768, 65536 / std::sqrt(12.0), 31, 31, 25000};
  return {128, 74, 16, 15, 100};
}

/// P, R, m and b' for `channels` outputs of `inputs` full-range products each (ARITHMETIC.md,
/// "Ranges", with the bound that holds for any weights).
Requantization make_requantization(int channels, int inputs, Element element, Source& source) {
  const Ranges ranges = ranges_of(element);
  Requantization r;
  const std::int64_t bound = ranges.largest_input * 127 * inputs;
  // The standard deviation of a sum of products of uniform weights and inputs.
  const double deviation = 74.0 * ranges.input_deviation * std::sqrt(inputs);
  const int largest_bias = static_cast<int>(deviation);
  while ((bound + largest_bias) >> r.accumulator_shift >= std::int64_t{1} << ranges.scaled_bits)
    ++r.accumulator_shift;
  // Twice that shall come out as a typical output.
  const int top = ranges.multiplier_bits;
  const double scaled = std::ldexp(2 * deviation * 1.5, top - 1 - r.accumulator_shift);
  while (std::ldexp(scaled, -r.output_shift) > ranges.typical_output)
    ++r.output_shift;
  r.output_shift = std::max(r.output_shift, 1);
  for (int c = 0; c < channels; ++c) {
    r.multiplier.push_back(source.in(1 << (top - 1), static_cast<int>((1u << top) - 1)));
    r.bias.push_back(source.in(-largest_bias, largest_bias));
  }
  return r;
}

/// m and b' of a sum of `terms` activations (ARITHMETIC.md, "Sum of products").
Requantization make_sum_requantization(int multipliers, int terms, Element element,
                                       Source& source) {
  Requantization r;
  r.output_shift = ranges_of(element).multiplier_bits - 1;
  for (int i = 0; i < multipliers; ++i)
    r.multiplier.push_back(source.in(1 << (r.output_shift - 1), (1 << r.output_shift) - 1) / terms);
  r.bias.push_back(element == Element::int16 ? std::int64_t{1} << (r.output_shift - 1)
                                             : source.in(-1000000, 1000000));
  return r;
}

Requantization make_product_requantization(Element element, Source& source) {
  if (element == Element::int16)
    return {.output_shift = 43,
            .multiplier = {source.in(1 << 28, (1 << 30) - 1)},
            .bias = {std::int64_t{1} << 42}};
  return {.output_shift = 21, .multiplier = {source.in(1 << 12, (1 << 14) - 1)}, .bias = {1 << 20}};
}

bool takes_two(IntegerOp op) {
  return op == IntegerOp::add || op == IntegerOp::multiply || op == IntegerOp::concat;
}

Requantization requantization_for(const SingleLayer& shape, int channels, Source& source) {
  switch (shape.op) {
    case IntegerOp::max_pool:
    case IntegerOp::lookup:
      return {};
    case IntegerOp::average_pool:
      return make_sum_requantization(1, window_inputs(shape), shape.element, source);
    case IntegerOp::add:
      return make_sum_requantization(2, 1, shape.element, source);
    case IntegerOp::multiply:
      return make_product_requantization(shape.element, source);
    case IntegerOp::concat: {
      Requantization r = make_sum_requantization(2, 1, shape.element, source);
      r.bias.push_back(shape.element == Element::int16 ? r.bias[0] : source.in(-1000000, 1000000));
      return r;
    }
    default:
      return make_requantization(channels, window_inputs(shape), shape.element, source);
  }
}

/// A lookup's results, pseudo-random.
std::vector<std::int16_t> make_table(Element element, Source& source) {
  if (element == Element::int8) {
    const auto values = make_weights(256, WeightFill::random, source);
    return {values.begin(), values.end()};
  }
  std::vector<std::int16_t> table(513);
  for (std::int16_t& value : table)
    value = static_cast<std::int16_t>(source.in(-32768, 32767));
  return table;
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
                           .zero_point = static_cast<std::int8_t>(source.in(-128, 127)),
                           .element = shape.element});
  if (shape.element == Element::int16) graph.tensors.back().zero_point = 0;
  IntegerLayer layer;
  layer.op = shape.op;
  layer.name = to_string(shape.op);
  layer.inputs = {0};
  if (takes_two(shape.op)) layer.inputs.push_back(0);
  if (shape.op == IntegerOp::lookup) layer.table = make_table(shape.element, source);
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
  const auto [lowest, highest] = range_of(shape.element);
  layer.clamp_min = static_cast<std::int16_t>(lowest);
  layer.clamp_max = static_cast<std::int16_t>(highest);
  graph.layers.push_back(std::move(layer));
  return graph;
}

namespace {

/// A layer and what CMSIS-NN takes for it, whatever the weights are.
struct Published {
  SingleLayer layer;
  std::optional<double> m0 = {};
  std::optional<double> m4 = {};
  std::optional<double> m7 = {};
};

/// The same layer over int16 tensors.
Published wide(const Published& of) {
  SingleLayer layer = of.layer;
  layer.element = Element::int16;
  return {layer};
}

BenchShape bench(std::string_view name, const Published& of, WeightFill fill, WeightForm form,
                 std::string_view kernel = {}) {
  return {name, of.layer, fill, form, of.m0, of.m4, of.m7, kernel};
}

}  // namespace

std::span<const BenchShape> bench_shapes() {
  static const Window pointwise;
  static const Window three{.kernel_height = 3,
                            .kernel_width = 3,
                            .pad_top = 1,
                            .pad_left = 1,
                            .pad_bottom = 1,
                            .pad_right = 1};
  static const Published conv3{
      {IntegerOp::convolution, 16, 16, 16, 16, three}, 7.554, 2.328, 2.336};
  static const Published conv1{
      {IntegerOp::convolution, 8, 8, 64, 64, pointwise}, 7.598, 2.111, 2.076};
  static const Published depthwise{
      {IntegerOp::depthwise, 8, 8, 64, 64, three}, 35.431, 8.343, 8.240};
  static const Published dense{{IntegerOp::dense, 1, 1, 256, 64, pointwise}, 6.427, 2.076, 2.077};
  static const Window three_by_two{.kernel_height = 3,
                                   .kernel_width = 3,
                                   .stride_height = 2,
                                   .stride_width = 2,
                                   .pad_top = 1,
                                   .pad_left = 1,
                                   .pad_bottom = 1,
                                   .pad_right = 1};
  static const Published odd_conv3{{IntegerOp::convolution, 15, 17, 15, 13, three}};
  static const Published first_conv3{{IntegerOp::convolution, 28, 28, 3, 16, three}};
  static const Published strided_conv3{{IntegerOp::convolution, 16, 16, 16, 16, three_by_two}};
  static const Published odd_conv1{{IntegerOp::convolution, 7, 9, 63, 61, pointwise}};
  static const Published odd_depthwise{{IntegerOp::depthwise, 9, 7, 61, 61, three}};
  static const Published strided_depthwise{{IntegerOp::depthwise, 16, 16, 64, 64, three_by_two}};
  static const Published odd_dense{{IntegerOp::dense, 1, 1, 255, 63, pointwise}};
  using Fill = WeightFill;
  using Form = WeightForm;
  static const BenchShape shapes[] = {
      bench("conv 3x3 16->16 16x16", conv3, Fill::random, Form::int8),
      bench("conv 1x1 64->64 8x8", conv1, Fill::random, Form::int8),
      bench("depthwise 3x3 64 8x8", depthwise, Fill::random, Form::int8),
      bench("dense 256->64", dense, Fill::random, Form::int8),
      bench("conv 3x3, large scratch", conv3, Fill::random, Form::int8, "conv3x3_winograd.dsp"),
      bench("conv 3x3, large scratch", conv3, Fill::random, Form::int8, "conv_large.m0"),
      bench("conv 3x3, 50 % 1x4 blocks", conv3, Fill::blocks50, Form::blocks),
      bench("conv 3x3, 75 % 1x4 blocks", conv3, Fill::blocks75, Form::blocks),
      bench("conv 1x1, 50 % 1x4 blocks", conv1, Fill::blocks50, Form::blocks),
      bench("conv 1x1, 75 % 1x4 blocks", conv1, Fill::blocks75, Form::blocks),
      bench("conv 3x3, 50 % blocks, 16 clusters", conv3, Fill::blocks50_clusters16,
            Form::blocks_codebook16),
      bench("conv 3x3, 75 % blocks, 16 clusters", conv3, Fill::blocks75_clusters16,
            Form::blocks_codebook16),
      bench("conv 1x1, 50 % blocks, 16 clusters", conv1, Fill::blocks50_clusters16,
            Form::blocks_codebook16),
      bench("conv 1x1, 75 % blocks, 16 clusters", conv1, Fill::blocks75_clusters16,
            Form::blocks_codebook16),
      bench("conv 1x1, 90 % zeros", conv1, Fill::scattered90, Form::unstructured),
      bench("conv 1x1, bitmap 90 %", conv1, Fill::scattered90, Form::bitmap),
      bench("conv 1x1, int8 tile", conv1, Fill::random, Form::int8, "conv_tile.dsp"),
      bench("conv 1x1, int4", conv1, Fill::int4, Form::int4),
      bench("conv 1x1, ternary", conv1, Fill::ternary, Form::ternary),
      bench("conv 1x1, 16 clusters", conv1, Fill::clusters16, Form::codebook16),
      bench("conv 1x1, 64 clusters", conv1, Fill::clusters64, Form::codebook256),
      bench("conv 3x3, int8 tile", conv3, Fill::random, Form::int8, "conv_tile.dsp"),
      bench("conv 3x3, int4", conv3, Fill::int4, Form::int4),
      bench("conv 3x3, ternary", conv3, Fill::ternary, Form::ternary),
      bench("conv 3x3, 16 clusters", conv3, Fill::clusters16, Form::codebook16),
      bench("depthwise 3x3, int4", depthwise, Fill::int4, Form::int4),
      bench("depthwise 3x3, 16 clusters", depthwise, Fill::clusters16, Form::codebook16),
      bench("dense, int4", dense, Fill::int4, Form::int4),
      bench("dense, 16 clusters", dense, Fill::clusters16, Form::codebook16),
      bench("dense, 75 % 1x4 blocks", dense, Fill::blocks75, Form::blocks),
      bench("dense, 50 % blocks, 16 clusters", dense, Fill::blocks50_clusters16,
            Form::blocks_codebook16),
      bench("dense, 75 % blocks, 16 clusters", dense, Fill::blocks75_clusters16,
            Form::blocks_codebook16),
      bench("dense, 90 % zeros", dense, Fill::scattered90, Form::unstructured),
      bench("conv 3x3 15->13 15x17", odd_conv3, Fill::random, Form::int8),
      bench("conv 3x3 3->16 28x28", first_conv3, Fill::random, Form::int8),
      bench("conv 3x3 stride 2 16->16 16x16", strided_conv3, Fill::random, Form::int8),
      bench("conv 1x1 63->61 7x9", odd_conv1, Fill::random, Form::int8),
      bench("depthwise 3x3 61 9x7", odd_depthwise, Fill::random, Form::int8),
      bench("depthwise 3x3 stride 2 64 16x16", strided_depthwise, Fill::random, Form::int8),
      bench("dense 255->63", odd_dense, Fill::random, Form::int8),
      bench("conv 3x3, int16", wide(conv3), Fill::random, Form::int8),
      bench("conv 1x1, int16", wide(conv1), Fill::random, Form::int8),
      bench("depthwise 3x3, int16", wide(depthwise), Fill::random, Form::int8),
      bench("dense, int16", wide(dense), Fill::random, Form::int8),
  };
  return shapes;
}

}  // namespace assay
