#include "targets/graph/reference_run.hpp"

#include <algorithm>
#include <cassert>

#include "targets/graph/float_run.hpp"

namespace assay {
namespace {

using Values = std::vector<std::int32_t>;

/// The integers of a tensor, whatever bytes an element has.
Values integers_of(ElementBytes bytes, Element element) {
  Values values(bytes.size() / size_of(element));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<std::int32_t>(read_element(bytes, i, element));
  return values;
}

std::vector<std::int8_t> bytes_of_integers(const Values& values, Element element) {
  if (element == Element::int8) return {values.begin(), values.end()};
  const std::vector<std::int16_t> narrow(values.begin(), values.end());
  return bytes_of(std::span<const std::int16_t>(narrow));
}

/// One layer and what it reads. Arithmetic is in 64 bits, whose range no element's sums leave;
/// those of int8 are known to fit 32 (ARITHMETIC.md).
struct LayerRun {
  const IntegerLayer& layer;
  const Requantization& r;
  const ActivationTensor& in;
  const ActivationTensor& out;
  std::vector<Values> inputs;
  std::vector<ActivationTensor> input_tensors;

  std::int32_t clamped(std::int64_t value) const {
    return static_cast<std::int32_t>(
        std::clamp<std::int64_t>(value, layer.clamp_min, layer.clamp_max));
  }

  std::int32_t requantized(std::int64_t sum, int channel) const {
    const std::int64_t shifted = (sum + r.bias[channel]) >> r.accumulator_shift;
    return clamped((shifted * r.multiplier[channel]) >> r.output_shift);
  }

  /// Calls visit(input value, window position) for every element of a window of output (y, x), one
  /// channel of the input; positions in the padding give its zero point or are left out.
  template <class Visit>
  void for_window(int y, int x, int channel, bool padding, Visit visit) const {
    const Window& w = layer.window;
    for (int ky = 0; ky < w.kernel_height; ++ky)
      for (int kx = 0; kx < w.kernel_width; ++kx) {
        const int row = y * w.stride_height - w.pad_top + ky;
        const int column = x * w.stride_width - w.pad_left + kx;
        const bool inside = row >= 0 && row < in.height && column >= 0 && column < in.width;
        const int position = ky * w.kernel_width + kx;
        if (inside)
          visit(inputs[0][(row * in.width + column) * in.channels + channel], position);
        else if (padding)
          visit(in.zero_point, position);
      }
  }

  std::int32_t convolution(int y, int x, int o) const {
    const int positions = layer.window.kernel_height * layer.window.kernel_width;
    std::int64_t sum = 0;
    for (int i = 0; i < in.channels; ++i)
      for_window(y, x, i, true, [&](std::int32_t value, int position) {
        sum += layer.weights[(o * positions + position) * in.channels + i] * value;
      });
    return requantized(sum, o);
  }

  std::int32_t depthwise(int y, int x, int c) const {
    std::int64_t sum = 0;
    for_window(y, x, c, true, [&](std::int32_t value, int position) {
      sum += layer.weights[position * out.channels + c] * value;
    });
    return requantized(sum, c);
  }

  std::int32_t dense(int o) const {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < inputs[0].size(); ++i)
      sum += layer.weights[o * inputs[0].size() + i] * inputs[0][i];
    return requantized(sum, o);
  }

  std::int32_t average_pool(int y, int x, int c) const {
    std::int64_t sum = 0;
    for_window(y, x, c, true, [&](std::int32_t value, int) { sum += value; });
    return clamped((sum * r.multiplier[0] + r.bias[0]) >> r.output_shift);
  }

  std::int32_t max_pool(int y, int x, int c) const {
    std::int32_t largest = range_of(in.element).lowest;
    for_window(y, x, c, false,
               [&](std::int32_t value, int) { largest = std::max(largest, value); });
    return largest;
  }

  std::int32_t add(std::size_t index) const {
    const std::int64_t first = r.multiplier[0], second = r.multiplier[1];
    return clamped((first * inputs[0][index] + second * inputs[1][index] + r.bias[0]) >>
                   r.output_shift);
  }

  /// A second factor of one position serves every position of the first.
  std::int32_t multiply(std::size_t index) const {
    const std::int64_t first = inputs[0][index] - input_tensors[0].zero_point;
    const std::int64_t second = inputs[1][index % inputs[1].size()] - input_tensors[1].zero_point;
    return clamped((first * second * r.multiplier[0] + r.bias[0]) >> r.output_shift);
  }

  std::int32_t concat(int y, int x, int c) const {
    std::size_t i = 0;
    for (; c >= input_tensors[i].channels; ++i)
      c -= input_tensors[i].channels;
    const std::int64_t value = inputs[i][(y * out.width + x) * input_tensors[i].channels + c];
    return clamped((r.multiplier[i] * value + r.bias[i]) >> r.output_shift);
  }

  std::int32_t lookup(std::size_t index) const {
    const std::int32_t value = inputs[0][index];
    if (in.element == Element::int8) return layer.table[value + 128];
    const std::int32_t point = (value >> 7) + 256, between = value & 127;
    const std::int32_t rise = layer.table[point + 1] - layer.table[point];
    return layer.table[point] + ((rise * between + 64) >> 7);
  }

  std::int32_t output(int y, int x, int c) const {
    const auto index = static_cast<std::size_t>((y * out.width + x) * out.channels + c);
    switch (layer.op) {
      case IntegerOp::convolution:
        return convolution(y, x, c);
      case IntegerOp::depthwise:
        return depthwise(y, x, c);
      case IntegerOp::dense:
        return dense(c);
      case IntegerOp::max_pool:
        return max_pool(y, x, c);
      case IntegerOp::average_pool:
        return average_pool(y, x, c);
      case IntegerOp::add:
        return add(index);
      case IntegerOp::multiply:
        return multiply(index);
      case IntegerOp::concat:
        return concat(y, x, c);
      case IntegerOp::lookup:
        break;
    }
    return lookup(index);
  }
};

}  // namespace

void run_reference_layer(const IntegerGraph& graph, const IntegerLayer& layer,
                         std::vector<std::vector<std::int8_t>>& values) {
  const ActivationTensor& in = graph.tensors[layer.inputs.front()];
  if (in.element == Element::float32) return run_float_layer(graph, layer, values);
  LayerRun run{layer, layer.requantization, in, graph.tensors[layer.output], {}, {}};
  for (const int input : layer.inputs) {
    run.input_tensors.push_back(graph.tensors[input]);
    run.inputs.push_back(integers_of(values[input], graph.tensors[input].element));
  }
  Values result;
  for (int y = 0; y < run.out.height; ++y)
    for (int x = 0; x < run.out.width; ++x)
      for (int c = 0; c < run.out.channels; ++c)
        result.push_back(run.output(y, x, c));
  values[layer.output] = bytes_of_integers(result, run.out.element);
}

std::vector<std::vector<std::int8_t>> run_reference_tensors(const IntegerGraph& graph,
                                                            std::span<const std::int8_t> input) {
  assert(static_cast<std::int64_t>(input.size()) == graph.tensors[graph.input].bytes());
  std::vector<std::vector<std::int8_t>> values(graph.tensors.size());
  values[graph.input].assign(input.begin(), input.end());
  for (const IntegerLayer& layer : graph.layers)
    run_reference_layer(graph, layer, values);
  return values;
}

std::vector<std::int8_t> run_reference(const IntegerGraph& graph,
                                       std::span<const std::int8_t> input) {
  return run_reference_tensors(graph, input)[graph.output];
}

}  // namespace assay
