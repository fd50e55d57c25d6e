#include "targets/graph/reference_run.hpp"

#include <algorithm>
#include <cassert>

#include "targets/graph/float_run.hpp"

namespace assay {
namespace {

using Values = std::vector<std::int8_t>;

std::int8_t clamped(const IntegerLayer& layer, std::int32_t value) {
  return static_cast<std::int8_t>(
      std::clamp<std::int32_t>(value, layer.clamp_min, layer.clamp_max));
}

std::int8_t requantized(const IntegerLayer& layer, std::int32_t sum, int channel) {
  const Requantization& r = layer.requantization;
  const std::int32_t shifted = (sum + r.bias[channel]) >> r.accumulator_shift;
  return clamped(layer, (shifted * r.multiplier[channel]) >> r.output_shift);
}

/// Calls visit(input value, window position) for every element of a window, one channel of the
/// input; positions in the padding give `outside` or, when that is absent, are left out.
template <class Visit>
void for_window(const IntegerLayer& layer, const ActivationTensor& tensor, const Values& input,
                int y, int x, int channel, const std::int8_t* outside, Visit visit) {
  const Window& w = layer.window;
  for (int ky = 0; ky < w.kernel_height; ++ky)
    for (int kx = 0; kx < w.kernel_width; ++kx) {
      const int row = y * w.stride_height - w.pad_top + ky;
      const int column = x * w.stride_width - w.pad_left + kx;
      const bool inside = row >= 0 && row < tensor.height && column >= 0 && column < tensor.width;
      const int position = ky * w.kernel_width + kx;
      if (inside)
        visit(input[(row * tensor.width + column) * tensor.channels + channel], position);
      else if (outside)
        visit(*outside, position);
    }
}

std::int8_t window_output(const IntegerLayer& layer, const ActivationTensor& in,
                          const Values& values, int y, int x, int c, int out_channels) {
  const int positions = layer.window.kernel_height * layer.window.kernel_width;
  const std::int8_t* zero = &in.zero_point;
  std::int32_t sum = 0;
  switch (layer.op) {
    case IntegerOp::convolution:
      for (int i = 0; i < in.channels; ++i)
        for_window(layer, in, values, y, x, i, zero, [&](std::int8_t value, int position) {
          sum += layer.weights[(c * positions + position) * in.channels + i] * value;
        });
      return requantized(layer, sum, c);
    case IntegerOp::depthwise:
      for_window(layer, in, values, y, x, c, zero, [&](std::int8_t value, int position) {
        sum += layer.weights[position * out_channels + c] * value;
      });
      return requantized(layer, sum, c);
    case IntegerOp::average_pool:
      for_window(layer, in, values, y, x, c, zero, [&](std::int8_t value, int) { sum += value; });
      return clamped(layer,
                     (sum * layer.requantization.multiplier[0] + layer.requantization.bias[0]) >>
                         layer.requantization.output_shift);
    default: {
      std::int8_t largest = -128;
      for_window(layer, in, values, y, x, c, nullptr,
                 [&](std::int8_t value, int) { largest = std::max(largest, value); });
      return largest;
    }
  }
}

Values run_dense(const IntegerLayer& layer, const Values& input, int outputs) {
  Values result;
  for (int o = 0; o < outputs; ++o) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < input.size(); ++i)
      sum += layer.weights[o * input.size() + i] * input[i];
    result.push_back(requantized(layer, sum, o));
  }
  return result;
}

Values run_add(const IntegerLayer& layer, const Values& first, const Values& second) {
  const Requantization& r = layer.requantization;
  Values result;
  for (std::size_t i = 0; i < first.size(); ++i)
    result.push_back(clamped(
        layer,
        (r.multiplier[0] * first[i] + r.multiplier[1] * second[i] + r.bias[0]) >> r.output_shift));
  return result;
}

/// A second factor of one position serves every position of the first.
Values run_multiply(const IntegerLayer& layer, const std::vector<ActivationTensor>& tensors,
                    const Values& first, const Values& second) {
  const Requantization& r = layer.requantization;
  const std::int32_t first_zero = tensors[layer.inputs[0]].zero_point;
  const std::int32_t second_zero = tensors[layer.inputs[1]].zero_point;
  Values result;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::int32_t product =
        (first[i] - first_zero) * (second[i % second.size()] - second_zero);
    result.push_back(clamped(layer, (product * r.multiplier[0] + r.bias[0]) >> r.output_shift));
  }
  return result;
}

Values run_concat(const IntegerGraph& graph, const IntegerLayer& layer,
                  const std::vector<Values>& values) {
  const Requantization& r = layer.requantization;
  const ActivationTensor& out = graph.tensors[layer.output];
  Values result;
  for (int position = 0; position < out.height * out.width; ++position)
    for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
      const int channels = graph.tensors[layer.inputs[i]].channels;
      for (int c = 0; c < channels; ++c) {
        const std::int32_t value = values[layer.inputs[i]][position * channels + c];
        result.push_back(clamped(layer, (r.multiplier[i] * value + r.bias[i]) >> r.output_shift));
      }
    }
  return result;
}

Values run_lookup(const IntegerLayer& layer, const Values& input) {
  Values result;
  for (std::int8_t value : input)
    result.push_back(layer.table[value + 128]);
  return result;
}

}  // namespace

void run_reference_layer(const IntegerGraph& graph, const IntegerLayer& layer,
                         std::vector<std::vector<std::int8_t>>& values) {
  const ActivationTensor& in = graph.tensors[layer.inputs.front()];
  const ActivationTensor& out = graph.tensors[layer.output];
  if (in.element == Element::float32) return run_float_layer(graph, layer, values);
  const Values& source = values[layer.inputs.front()];
  Values& result = values[layer.output];
  result.clear();
  if (layer.op == IntegerOp::dense) {
    result = run_dense(layer, source, out.channels);
  } else if (layer.op == IntegerOp::add) {
    result = run_add(layer, source, values[layer.inputs[1]]);
  } else if (layer.op == IntegerOp::multiply) {
    result = run_multiply(layer, graph.tensors, source, values[layer.inputs[1]]);
  } else if (layer.op == IntegerOp::concat) {
    result = run_concat(graph, layer, values);
  } else if (layer.op == IntegerOp::lookup) {
    result = run_lookup(layer, source);
  } else {
    for (int y = 0; y < out.height; ++y)
      for (int x = 0; x < out.width; ++x)
        for (int c = 0; c < out.channels; ++c)
          result.push_back(window_output(layer, in, source, y, x, c, out.channels));
  }
}

std::vector<std::vector<std::int8_t>> run_reference_tensors(const IntegerGraph& graph,
                                                            std::span<const std::int8_t> input) {
  assert(static_cast<std::int64_t>(input.size()) == graph.tensors[graph.input].bytes());
  std::vector<Values> values(graph.tensors.size());
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
