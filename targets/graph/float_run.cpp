#include "targets/graph/float_run.hpp"

#include <algorithm>
#include <limits>

#include "targets/runtime/float/functions.hpp"

namespace assay {
namespace {

using Values = std::vector<float>;

Values floats_of(ElementBytes bytes) {
  Values values(bytes.size() / sizeof(float));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = read_element(bytes, i, Element::float32);
  return values;
}

float limited(const FloatParameters& real, float value) {
  return value < real.clamp_min ? real.clamp_min : value > real.clamp_max ? real.clamp_max : value;
}

/// One layer and what it reads.
struct LayerRun {
  const IntegerLayer& layer;
  const ActivationTensor& in;
  const ActivationTensor& out;
  std::vector<Values> inputs;
  std::vector<int> input_channels;

  float weight(std::size_t index) const {
    return layer.real.weights.empty() ? static_cast<float>(layer.weights[index])
                                      : layer.real.weights[index];
  }

  /// The input at window position (ky, kx) of output (y, x); 0 in the padding, or nothing.
  const float* find(int y, int x, int ky, int kx, int channel) const {
    const Window& w = layer.window;
    const int row = y * w.stride_height - w.pad_top + ky;
    const int column = x * w.stride_width - w.pad_left + kx;
    if (row < 0 || row >= in.height || column < 0 || column >= in.width) return nullptr;
    return &inputs[0][(row * in.width + column) * in.channels + channel];
  }

  /// Calls visit(input, position) for what lies in the input, position by position.
  template <class Visit>
  void for_window(int y, int x, int channel, Visit visit) const {
    for (int ky = 0; ky < layer.window.kernel_height; ++ky)
      for (int kx = 0; kx < layer.window.kernel_width; ++kx)
        if (const float* value = find(y, x, ky, kx, channel))
          visit(*value, ky * layer.window.kernel_width + kx);
  }

  float finished(float sum, int channel) const {
    const FloatParameters& real = layer.real;
    if (real.weights.empty()) sum = sum * real.scale[channel];
    return limited(real, sum + real.bias[channel]);
  }

  float convolution(int y, int x, int o) const {
    const int positions = layer.window.kernel_height * layer.window.kernel_width;
    float sum = 0;
    for (int position = 0; position < positions; ++position)
      for (int i = 0; i < in.channels; ++i)
        if (const float* value = find(y, x, position / layer.window.kernel_width,
                                      position % layer.window.kernel_width, i)) {
          const float product =
              weight(static_cast<std::size_t>(o * positions + position) * in.channels + i) * *value;
          sum = sum + product;
        }
    return finished(sum, o);
  }

  float depthwise(int y, int x, int c) const {
    float sum = 0;
    for_window(y, x, c, [&](float value, int position) {
      const float product = weight(static_cast<std::size_t>(position) * out.channels + c) * value;
      sum = sum + product;
    });
    return finished(sum, c);
  }

  float dense(int o) const {
    float sum = 0;
    for (std::size_t i = 0; i < inputs[0].size(); ++i) {
      const float product = weight(o * inputs[0].size() + i) * inputs[0][i];
      sum = sum + product;
    }
    return finished(sum, o);
  }

  float max_pool(int y, int x, int c) const {
    float largest = -std::numeric_limits<float>::infinity();
    for_window(y, x, c, [&](float value, int) { largest = std::max(largest, value); });
    return limited(layer.real, largest);
  }

  float average_pool(int y, int x, int c) const {
    float sum = 0;
    for_window(y, x, c, [&](float value, int) { sum = sum + value; });
    return limited(layer.real, sum * layer.real.scale[0]);
  }

  float concat(int y, int x, int c) const {
    std::size_t input = 0;
    for (; c >= input_channels[input]; ++input)
      c -= input_channels[input];
    return limited(layer.real, inputs[input][(y * out.width + x) * input_channels[input] + c]);
  }

  float output(int y, int x, int c) const {
    const auto index = static_cast<std::size_t>((y * out.width + x) * out.channels + c);
    const ElementFunction& function = layer.real.function;
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
        return limited(layer.real, inputs[0][index] + inputs[1][index]);
      case IntegerOp::multiply:
        return limited(layer.real, inputs[0][index] * inputs[1][index % inputs[1].size()]);
      case IntegerOp::concat:
        return concat(y, x, c);
      case IntegerOp::lookup:
        break;
    }
    return limited(layer.real, kernels::apply(static_cast<kernels::FloatFunction>(function.kind),
                                              inputs[0][index], function.alpha, function.beta));
  }
};

}  // namespace

void run_float_layer(const IntegerGraph& graph, const IntegerLayer& layer,
                     std::vector<std::vector<std::int8_t>>& values) {
  LayerRun run{layer, graph.tensors[layer.inputs.front()], graph.tensors[layer.output], {}, {}};
  for (const int input : layer.inputs) {
    run.inputs.push_back(floats_of(values[input]));
    run.input_channels.push_back(graph.tensors[input].channels);
  }
  Values result;
  for (int y = 0; y < run.out.height; ++y)
    for (int x = 0; x < run.out.width; ++x)
      for (int c = 0; c < run.out.channels; ++c)
        result.push_back(run.output(y, x, c));
  values[layer.output] = bytes_of(result);
}

}  // namespace assay
