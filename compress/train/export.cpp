#include "compress/train/export.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <sstream>

namespace assay {
namespace {

using Integers = std::vector<std::int64_t>;

/// The operator that stands for a layer, without its inputs and outputs.
onnx::Node operator_for(const LayerSpec& layer, int in_channels) {
  onnx::Node node;
  const std::int64_t kernel = layer.kernel;
  const std::int64_t stride = layer.stride;
  const std::int64_t pad = layer.padding;
  auto windowed = [&](const char* op_type) {
    node.op_type = op_type;
    node.attributes = {{"kernel_shape", Integers{kernel, kernel}},
                       {"strides", Integers{stride, stride}},
                       {"pads", Integers{pad, pad, pad, pad}}};
  };
  switch (layer.op) {
    case LayerOp::convolution:
      windowed("Conv");
      node.attributes["group"] = std::int64_t{1};
      break;
    case LayerOp::depthwise:
      windowed("Conv");
      node.attributes["group"] = std::int64_t{in_channels};
      break;
    case LayerOp::dense:
      node.op_type = "Gemm";
      node.attributes["transB"] = std::int64_t{1};
      break;
    case LayerOp::relu:
      node.op_type = "Relu";
      break;
    case LayerOp::relu6:
      node.op_type = "Clip";
      break;
    case LayerOp::max_pool:
      windowed("MaxPool");
      break;
    case LayerOp::average_pool:
      windowed("AveragePool");
      break;
    case LayerOp::global_average_pool:
      node.op_type = "GlobalAveragePool";
      break;
    case LayerOp::flatten:
      node.op_type = "Flatten";
      break;
    case LayerOp::add:
      node.op_type = "Add";
      break;
  }
  return node;
}

class Exporter {
 public:
  Exporter(const ModelSpec& spec, const std::vector<LayerParameters>& parameters)
      : spec_(spec), parameters_(parameters) {}

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

  std::string add_initializer(const std::string& name, const std::vector<std::int64_t>& shape,
                              std::span<const float> values) {
    model_.initializers[name] =
        onnx::Tensor::of<float>(name, onnx::ElementType::float32, shape, values);
    return name;
  }

  void append(std::size_t index) {
    const LayerSpec& layer = spec_.layers[index];
    const LayerParameters& numbers = parameters_[index];
    const bool weighted = !numbers.shape.empty();
    // A depthwise layer has as many groups as weight rows.
    onnx::Node node = operator_for(layer, weighted ? int(numbers.shape[0]) : 0);
    node.name = layer.name;
    for (int input : layer.inputs)
      node.inputs.push_back(output_of(input));
    if (weighted) {
      node.inputs.push_back(
          add_initializer(layer.name + ".weight", numbers.shape, numbers.weights));
      node.inputs.push_back(
          add_initializer(layer.name + ".bias", {numbers.shape[0]}, numbers.bias));
    }
    if (layer.op == LayerOp::relu6) {
      const float bounds[] = {0.0F, 6.0F};
      node.inputs.push_back(add_initializer(layer.name + ".min", {}, {bounds, 1}));
      node.inputs.push_back(add_initializer(layer.name + ".max", {}, {bounds + 1, 1}));
    }
    node.outputs = {output_of(int(index))};
    model_.nodes.push_back(std::move(node));
  }

  const ModelSpec& spec_;
  const std::vector<LayerParameters>& parameters_;
  onnx::Model model_;
};

Result<std::vector<float>> read_numbers(const onnx::Model& model, const std::string& key,
                                        std::size_t channels, const std::string& source) {
  const auto found = model.metadata.find(key);
  if (found == model.metadata.end())
    return fail(ErrorKind::bad_input,
                fmt::format("{} has no metadata property {}, so the scale of its input is unknown",
                            source, key));
  std::vector<float> numbers;
  std::istringstream text(found->second);
  text.imbue(std::locale::classic());
  for (float number = 0; text >> number;) {
    numbers.push_back(number);
    if (text.peek() == ',') text.get();
  }
  if (!text.eof() || numbers.size() != channels)
    return fail(ErrorKind::bad_input,
                fmt::format("{}: metadata property {} is \"{}\"; expected {} number(s) separated "
                            "by commas",
                            source, key, found->second, channels));
  return numbers;
}

}  // namespace

onnx::Model export_float(const ModelSpec& spec, const std::vector<LayerParameters>& parameters,
                         const InputMeaning& meaning) {
  onnx::Model model = Exporter(spec, parameters).run();
  model.metadata["assay.dataset"] = meaning.dataset;
  model.metadata["assay.mean"] = fmt::format("{}", fmt::join(meaning.normalization.mean, ","));
  model.metadata["assay.deviation"] =
      fmt::format("{}", fmt::join(meaning.normalization.deviation, ","));
  return model;
}

Result<InputMeaning> read_input_meaning(const onnx::Model& model, const std::string& source) {
  if (model.inputs.size() != 1 || model.inputs[0].shape.size() != 4)
    return fail(ErrorKind::bad_input,
                fmt::format("{} must have one image input [N, channels, height, width]", source));
  const auto channels = std::size_t(model.inputs[0].shape[1]);
  InputMeaning meaning;
  const auto dataset = model.metadata.find("assay.dataset");
  if (dataset != model.metadata.end()) meaning.dataset = dataset->second;
  ASSAY_TRY(meaning.normalization.mean, read_numbers(model, "assay.mean", channels, source));
  ASSAY_TRY(meaning.normalization.deviation,
            read_numbers(model, "assay.deviation", channels, source));
  for (float deviation : meaning.normalization.deviation)
    if (!(deviation > 0))
      return fail(ErrorKind::bad_input,
                  fmt::format("{}: metadata property assay.deviation must be above 0", source));
  return meaning;
}

}  // namespace assay
