#include "compress/models/initial_network.hpp"

#include <cmath>

#include "compress/models/normal_source.hpp"

namespace assay {
namespace {

using Integers = std::vector<std::int64_t>;

class NetworkWriter {
 public:
  NetworkWriter(const ModelSpec& spec, const std::vector<LayerShape>& shapes,
                std::optional<std::uint64_t> seed)
      : spec_(spec), shapes_(shapes) {
    if (seed) source_.emplace(*seed);
  }

  onnx::Model run() {
    model_.graph_name = spec_.name;
    model_.inputs = {
        {"input", onnx::ElementType::float32, {-1, spec_.channels, spec_.height, spec_.width}}};
    model_.outputs = {{"logits", onnx::ElementType::float32, {-1, spec_.classes}}};
    for (std::size_t i = 0; i < spec_.layers.size(); ++i)
      append(i);
    return std::move(model_);
  }

 private:
  std::string output_of(int index) const {
    if (index < 0) return "input";
    if (index + 1 == int(spec_.layers.size())) return "logits";
    return spec_.layers[std::size_t(index)].name + ".output";
  }

  int input_channels(const LayerSpec& layer) const {
    const int from = layer.inputs[0];
    return from < 0 ? spec_.channels : shapes_[std::size_t(from)].channels;
  }

  std::string constant(const std::string& name, const Integers& shape,
                       const std::vector<float>& values) {
    model_.initializers[name] =
        onnx::Tensor::of<float>(name, onnx::ElementType::float32, shape, values);
    return name;
  }

  std::vector<float> random_weights(std::int64_t count, double deviation) {
    std::vector<float> values(std::size_t(count), 0.0F);
    if (source_)
      for (float& value : values)
        value = float(deviation * source_->draw());
    return values;
  }

  void append(std::size_t index) {
    const LayerSpec& layer = spec_.layers[index];
    onnx::Node node;
    node.name = layer.name;
    for (int input : layer.inputs)
      node.inputs.push_back(output_of(input));
    node.outputs = {output_of(int(index))};
    describe(layer, node);
    const std::string output = node.outputs[0];
    if (layer.batch_norm) node.outputs[0] = layer.name + ".raw";
    model_.nodes.push_back(std::move(node));
    if (layer.batch_norm) append_norm(layer, shapes_[index].channels, output);
  }

  /// Operator type, attributes and constants.
  void describe(const LayerSpec& layer, onnx::Node& node) {
    switch (layer.op) {
      case LayerOp::convolution:
        return convolution(layer, node, layer.out_channels, 1);
      case LayerOp::depthwise:
        return convolution(layer, node, input_channels(layer), input_channels(layer));
      case LayerOp::dense:
        return dense(layer, node);
      case LayerOp::relu:
        node.op_type = "Relu";
        return;
      case LayerOp::relu6:
        node.op_type = "Clip";
        node.inputs.push_back(constant(layer.name + ".min", {}, {0.0F}));
        node.inputs.push_back(constant(layer.name + ".max", {}, {6.0F}));
        return;
      case LayerOp::max_pool:
        return windowed("MaxPool", layer, node);
      case LayerOp::average_pool:
        return windowed("AveragePool", layer, node);
      case LayerOp::global_average_pool:
        node.op_type = "GlobalAveragePool";
        return;
      case LayerOp::flatten:
        node.op_type = "Flatten";
        return;
      case LayerOp::add:
        node.op_type = "Add";
        return;
      case LayerOp::sigmoid:
        node.op_type = "Sigmoid";
        return;
      case LayerOp::multiply:
        node.op_type = "Mul";
        return;
      case LayerOp::concat:
        node.op_type = "Concat";
        node.attributes["axis"] = std::int64_t{1};
        return;
      case LayerOp::batch_norm:
        return batch_norm(layer.name, input_channels(layer), node);
    }
  }

  static void windowed(const char* op_type, const LayerSpec& layer, onnx::Node& node) {
    const Padding& pad = layer.padding;
    node.op_type = op_type;
    node.attributes = {{"kernel_shape", Integers{layer.kernel.height, layer.kernel.width}},
                       {"strides", Integers{layer.stride, layer.stride}},
                       {"pads", Integers{pad.top, pad.left, pad.bottom, pad.right}}};
  }

  void convolution(const LayerSpec& layer, onnx::Node& node, std::int64_t filters,
                   std::int64_t groups) {
    windowed("Conv", layer, node);
    node.attributes["group"] = groups;
    const std::int64_t window = std::int64_t{layer.kernel.height} * layer.kernel.width;
    const Integers shape{filters, input_channels(layer) / groups, layer.kernel.height,
                         layer.kernel.width};
    const double deviation = std::sqrt(2.0 / double(filters / groups * window));
    node.inputs.push_back(constant(layer.name + ".weight", shape,
                                   random_weights(filters * shape[1] * window, deviation)));
    if (!layer.batch_norm && layer.bias)
      node.inputs.push_back(constant(layer.name + ".bias", {filters},
                                     std::vector<float>(std::size_t(filters), 0.0F)));
  }

  void dense(const LayerSpec& layer, onnx::Node& node) {
    node.op_type = "Gemm";
    node.attributes["transB"] = std::int64_t{1};
    const std::int64_t inputs = input_channels(layer);
    const std::int64_t outputs = layer.out_channels;
    node.inputs.push_back(
        constant(layer.name + ".weight", {outputs, inputs},
                 random_weights(outputs * inputs, 1 / std::sqrt(double(inputs)))));
    if (!layer.batch_norm && layer.bias)
      node.inputs.push_back(constant(layer.name + ".bias", {outputs},
                                     std::vector<float>(std::size_t(outputs), 0.0F)));
  }

  void append_norm(const LayerSpec& layer, std::int64_t channels, const std::string& output) {
    onnx::Node node;
    node.name = layer.name + ".norm";
    node.inputs = {layer.name + ".raw"};
    node.outputs = {output};
    batch_norm(node.name, channels, node);
    model_.nodes.push_back(std::move(node));
  }

  void batch_norm(const std::string& name, std::int64_t channels, onnx::Node& node) {
    const std::vector<float> zeros(std::size_t(channels), 0.0F);
    const std::vector<float> ones(std::size_t(channels), 1.0F);
    node.op_type = "BatchNormalization";
    node.inputs.push_back(constant(name + ".gamma", {channels}, ones));
    node.inputs.push_back(constant(name + ".beta", {channels}, zeros));
    node.inputs.push_back(constant(name + ".mean", {channels}, zeros));
    node.inputs.push_back(constant(name + ".variance", {channels}, ones));
  }

  const ModelSpec& spec_;
  const std::vector<LayerShape>& shapes_;
  std::optional<NormalSource> source_;
  onnx::Model model_;
};

}  // namespace

Result<onnx::Model> initial_network(const ModelSpec& spec, std::optional<std::uint64_t> seed,
                                    const InputMeaning& meaning) {
  ASSAY_TRY(const auto shapes, infer_shapes(spec));
  onnx::Model model = NetworkWriter(spec, shapes, seed).run();
  write_input_meaning(model, meaning);
  return model;
}

}  // namespace assay
