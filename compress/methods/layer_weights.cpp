#include "compress/methods/layer_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "compress/methods/cluster_marks.hpp"

namespace assay {
namespace {

using onnx::ElementType;

bool is_layer(const onnx::Node& node) {
  return node.domain.empty() && (node.op_type == "Conv" || node.op_type == "Gemm");
}

std::string input_of(const onnx::Node& node, std::size_t index) {
  return index < node.inputs.size() ? node.inputs[index] : "";
}

class Reader {
 public:
  explicit Reader(const onnx::Model& model) : model_(model) {
    for (const onnx::Node& node : model.nodes)
      if (dequantizes_weights(model, node)) dequantizers_[node.outputs[0]] = &node;
  }

  Result<LayerWeights> read(const onnx::Node& node) const {
    if (node.op_type == "Gemm" &&
        (node.integer("transB", 0) != 1 || node.integer("transA", 0) != 0 ||
         node.real("alpha", 1) != 1 || node.real("beta", 1) != 1))
      return refuse_node(node, "only transB = 1, transA = 0, alpha = beta = 1 is supported");
    LayerWeights layer;
    const auto integers = dequantizers_.find(input_of(node, 1));
    ASSAY_CHECK(integers == dequantizers_.end() ? read_reals(node, layer)
                                                : read_integers(node, *integers->second, layer));
    ASSAY_CHECK(check_finite(node, "weight", layer.reals));
    ASSAY_CHECK(read_bias(node, layer));
    return layer;
  }

 private:
  Status read_reals(const onnx::Node& node, LayerWeights& layer) const {
    const onnx::Tensor* weights = model_.initializer(input_of(node, 1));
    if (!weights || weights->type != ElementType::float32 || weights->element_count() == 0 ||
        weights->shape.empty())
      return refuse_node(node,
                         "its weights must be a float32 constant, or int8 behind a "
                         "DequantizeLinear");
    layer.shape = weights->shape;
    layer.reals.assign(weights->as<float>().begin(), weights->as<float>().end());
    return {};
  }

  Status read_integers(const onnx::Node& node, const onnx::Node& dequantize,
                       LayerWeights& layer) const {
    const onnx::Tensor& integers = *model_.initializer(dequantize.inputs[0]);
    const onnx::Tensor* scales = model_.initializer(input_of(dequantize, 1));
    if (integers.element_count() == 0 || integers.shape.empty())
      return refuse_node(node, "its weights are empty");
    const std::int64_t channels = integers.shape[0];
    const auto rank = std::int64_t(integers.shape.size());
    const std::int64_t axis = dequantize.integer("axis", 1);
    if (!scales || scales->type != ElementType::float32 ||
        (scales->element_count() != 1 &&
         (scales->element_count() != channels || (axis + rank) % rank != 0)))
      return refuse_node(node,
                         "its integer weights must have one constant float32 scale, or one per "
                         "output channel (axis 0)");
    if (const onnx::Tensor* zeros = model_.initializer(input_of(dequantize, 2)))
      if (std::ranges::any_of(zeros->data, [](std::byte byte) { return byte != std::byte{0}; }))
        return refuse_node(node, "its integer weights must have the zero point 0");
    const auto values = integers.as<std::int8_t>();
    layer.shape = integers.shape;
    layer.integers = QuantizedWeights{{values.begin(), values.end()},
                                      {scales->as<float>().begin(), scales->as<float>().end()}};
    for (float scale : layer.integers->scales)
      if (!std::isfinite(scale) || scale <= 0)
        return refuse_node(node,
                           fmt::format("its weight scale {} is not a positive number", scale));
    const std::size_t row = values.size() / layer.integers->scales.size();
    for (std::size_t i = 0; i < values.size(); ++i)
      layer.reals.push_back(layer.integers->scales[i / row] * float(values[i]));
    return {};
  }

  Status read_bias(const onnx::Node& node, LayerWeights& layer) const {
    const std::string name = input_of(node, 2);
    if (name.empty()) return {};
    layer.bias = model_.initializer(name);
    if (!layer.bias || layer.bias->type != ElementType::float32 ||
        layer.bias->element_count() != layer.shape[0])
      return refuse_node(node, "its bias must be a float32 constant, one per output channel");
    return check_finite(node, "bias", layer.bias->as<float>());
  }

  static Status check_finite(const onnx::Node& node, const char* what,
                             std::span<const float> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]))
        return refuse_node(node, fmt::format("its {} {} is {}", what, i, values[i]));
    return {};
  }

  const onnx::Model& model_;
  std::map<std::string, const onnx::Node*> dequantizers_;  // by output
};

}  // namespace

tl::unexpected<Error> refuse_node(const onnx::Node& node, const std::string& why) {
  return fail(ErrorKind::bad_input,
              fmt::format("cannot quantize node '{}' ({}): {}", node.name, node.op_type, why));
}

bool dequantizes_weights(const onnx::Model& model, const onnx::Node& node) {
  if (node.op_type != "DequantizeLinear" || !node.domain.empty()) return false;
  const onnx::Tensor* data = model.initializer(input_of(node, 0));
  return data && data->type == ElementType::int8;
}

Result<LayerMap> read_layer_weights(const onnx::Model& model) {
  const Reader reader(model);
  ASSAY_TRY(const ClusterMarks marks, ClusterMarks::read(model));
  LayerMap layers;
  std::set<std::string> names;
  for (const onnx::Node& node : model.nodes) {
    if (!names.insert(node.name).second) return refuse_node(node, "another node has the same name");
    if (!is_layer(node)) continue;
    ASSAY_TRY(LayerWeights layer, reader.read(node));
    layer.clustered = !layer.integers && marks.is_clustered(node.name, layer.reals);
    layers.emplace(node.name, std::move(layer));
  }
  return layers;
}

Status check_layer_name(const LayerMap& layers, const std::string& name, const std::string& what) {
  if (layers.contains(name)) return {};
  std::vector<std::string> known;
  for (const auto& [layer, unused] : layers)
    known.push_back(layer);
  return fail(ErrorKind::bad_input,
              fmt::format("{} names layer '{}', which the model does not have; its layers are {}",
                          what, name, fmt::join(known, ", ")));
}

}  // namespace assay
