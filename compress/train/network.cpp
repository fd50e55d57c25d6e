#include "compress/train/network.hpp"

#include <torch/nn/functional/pooling.h>
#include <torch/nn/init.h>

namespace assay {
namespace {

namespace functional = torch::nn::functional;

std::vector<float> to_vector(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().contiguous(torch::MemoryFormat::Contiguous);
  return {plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel()};
}

torch::nn::Conv2dOptions convolution_options(const LayerSpec& layer, int in_channels) {
  const bool depthwise = layer.op == LayerOp::depthwise;
  return torch::nn::Conv2dOptions(in_channels, depthwise ? in_channels : layer.out_channels,
                                  layer.kernel)
      .stride(layer.stride)
      .padding(layer.padding)
      .groups(depthwise ? in_channels : 1)
      .bias(!layer.batch_norm);
}

void start_at_zero(const torch::Tensor& bias) {
  if (bias.defined()) torch::nn::init::zeros_(bias);
}

}  // namespace

Network::Network(const ModelSpec& spec, const std::vector<LayerShape>& shapes) {
  const LayerShape image{spec.channels, spec.height, spec.width};
  for (const LayerSpec& layer_spec : spec.layers) {
    Layer layer;
    layer.spec = layer_spec;
    const int from = layer_spec.inputs[0];
    const int in_channels = (from < 0 ? image : shapes[std::size_t(from)]).channels;
    if (layer_spec.op == LayerOp::convolution || layer_spec.op == LayerOp::depthwise) {
      layer.convolution = register_module(
          layer_spec.name, torch::nn::Conv2d(convolution_options(layer_spec, in_channels)));
      torch::Tensor& weight = layer.convolution->weight;
      torch::nn::init::kaiming_normal_(weight, 0, torch::kFanOut, torch::kReLU);
      start_at_zero(layer.convolution->bias);
      weight.set_data(weight.contiguous(torch::MemoryFormat::ChannelsLast));
      if (layer_spec.batch_norm)
        layer.batch_norm =
            register_module(layer_spec.name + "_norm", torch::nn::BatchNorm2d(weight.size(0)));
    }
    if (layer_spec.op == LayerOp::dense) {
      layer.dense =
          register_module(layer_spec.name, torch::nn::Linear(in_channels, layer_spec.out_channels));
      torch::nn::init::kaiming_normal_(layer.dense->weight, 0, torch::kFanIn, torch::kLinear);
      start_at_zero(layer.dense->bias);
    }
    layers_.push_back(std::move(layer));
  }
}

torch::Tensor Network::apply(Layer& layer, const torch::Tensor& x, const torch::Tensor& other) {
  const LayerSpec& spec = layer.spec;
  switch (spec.op) {
    case LayerOp::convolution:
    case LayerOp::depthwise: {
      const torch::Tensor y = layer.convolution->forward(x);
      return layer.batch_norm ? layer.batch_norm->forward(y) : y;
    }
    case LayerOp::dense:
      return layer.dense->forward(x);
    case LayerOp::relu:
      return torch::relu(x);
    case LayerOp::relu6:
      return torch::clamp(x, 0, 6);
    case LayerOp::max_pool:
      return functional::max_pool2d(
          x,
          functional::MaxPool2dFuncOptions(spec.kernel).stride(spec.stride).padding(spec.padding));
    case LayerOp::average_pool:
      return functional::avg_pool2d(x, functional::AvgPool2dFuncOptions(spec.kernel)
                                           .stride(spec.stride)
                                           .padding(spec.padding)
                                           .count_include_pad(false));
    case LayerOp::global_average_pool:
      return x.mean({2, 3}, true);
    case LayerOp::flatten:
      return x.flatten(1);
    case LayerOp::add:
      return x + other;
  }
  return x;
}

torch::Tensor Network::forward(const torch::Tensor& input) {
  const torch::Tensor image = input.contiguous(torch::MemoryFormat::ChannelsLast);
  std::vector<torch::Tensor> outputs;
  auto value = [&](int index) { return index < 0 ? image : outputs[std::size_t(index)]; };
  for (Layer& layer : layers_) {
    const std::vector<int>& inputs = layer.spec.inputs;
    outputs.push_back(
        apply(layer, value(inputs[0]), inputs.size() > 1 ? value(inputs[1]) : torch::Tensor()));
  }
  return outputs.back();
}

std::vector<LayerParameters> Network::layer_parameters() const {
  std::vector<LayerParameters> result(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    if (!layer.convolution && !layer.dense) continue;
    const torch::Tensor weight = layer.dense ? layer.dense->weight : layer.convolution->weight;
    const torch::Tensor bias = layer.dense ? layer.dense->bias : layer.convolution->bias;
    result[i].shape = weight.sizes().vec();
    result[i].weights = to_vector(weight);
    if (bias.defined()) result[i].bias = to_vector(bias);
    if (!layer.batch_norm) continue;
    const auto& norm = *layer.batch_norm;
    result[i].batch_norm =
        BatchNorm{to_vector(norm.weight), to_vector(norm.bias), to_vector(norm.running_mean),
                  to_vector(norm.running_var), norm.options.eps()};
  }
  return result;
}

}  // namespace assay
