#include "compress/onnx/model_counts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "compress/onnx/weight_tensors.hpp"

namespace assay::onnx {
namespace {

/// Height and width of a tensor; 1 x 1 of a vector.
using Extent = std::array<std::int64_t, 2>;

Extent extent_of(const ValueInfo& input) {
  if (input.shape.size() != 4) return {1, 1};
  return {input.shape[2], input.shape[3]};
}

/// Output extents of a window along one axis, as the ONNX operators define them.
std::int64_t window_output(const Node& node, const Extent& input, std::size_t axis,
                           std::int64_t kernel) {
  const auto stride = node.integers("strides", {1, 1}).at(axis);
  const auto reach = node.integers("dilations", {1, 1}).at(axis) * (kernel - 1) + 1;
  const auto automatic = node.text("auto_pad", "NOTSET");
  if (automatic.starts_with("SAME")) return (input[axis] + stride - 1) / stride;
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  const auto slack = input[axis] + pads.at(axis) + pads.at(axis + 2) - reach;
  if (slack < 0) return 0;
  const bool up = node.integer("ceil_mode", 0) != 0;
  return (slack + (up ? stride - 1 : 0)) / stride + 1;
}

/// Follows the extents of the activations through the nodes.
class MacCounter {
 public:
  explicit MacCounter(const Model& model) : model_(model) {
    for (const auto& input : model.inputs)
      extents_[input.name] = extent_of(input);
  }

  Result<Macs> run() {
    for (const auto& node : model_.nodes) {
      ASSAY_TRY(const Extent output, output_of(node));
      for (const auto& name : node.outputs)
        extents_[name] = output;
      macs_ += Macs(weights_of(node) * static_cast<std::uint64_t>(output[0] * output[1]));
    }
    return macs_;
  }

 private:
  /// Of several inputs the larger: a factor per channel stands for a whole plane.
  Extent input_of(const Node& node) const {
    Extent extent{1, 1};
    for (const auto& name : node.inputs)
      if (const auto found = extents_.find(name); found != extents_.end())
        for (const std::size_t axis : {0, 1})
          extent[axis] = std::max(extent[axis], found->second[axis]);
    return extent;
  }

  Result<Extent> output_of(const Node& node) const {
    const auto& type = node.op_type;
    if (type == "GlobalAveragePool" || type == "Flatten" || type == "Gemm" || type == "MatMul" ||
        type == "Reshape")
      return Extent{1, 1};
    const Extent input = input_of(node);
    if (type != "Conv" && type != "MaxPool" && type != "AveragePool") return input;
    std::vector<std::int64_t> kernel;
    if (const Tensor* weights = constant_input(model_, node, 1).tensor; type == "Conv" && weights)
      kernel.assign(weights->shape.begin() + 2, weights->shape.end());
    kernel = node.integers("kernel_shape", kernel);
    if (kernel.size() != 2 || input[0] < 1 || input[1] < 1) return refuse(node);
    const Extent output{window_output(node, input, 0, kernel[0]),
                        window_output(node, input, 1, kernel[1])};
    if (output[0] < 1 || output[1] < 1) return refuse(node);
    return output;
  }

  tl::unexpected<Error> refuse(const Node& node) const {
    return fail(ErrorKind::bad_input,
                fmt::format("node {} ({}): its window does not fit an input of known height and "
                            "width, so its multiply-accumulates cannot be counted",
                            node.name, node.op_type));
  }

  std::uint64_t weights_of(const Node& node) const {
    if (node.op_type != "Conv" && node.op_type != "Gemm" && node.op_type != "MatMul") return 0;
    for (const std::size_t index : {1, 0})
      if (const Tensor* weights = constant_input(model_, node, index).tensor)
        return static_cast<std::uint64_t>(weights->element_count());
    return 0;
  }

  const Model& model_;
  std::map<std::string, Extent> extents_;
  Macs macs_;
};

}  // namespace

Result<Macs> count_macs(const Model& model) {
  return MacCounter(model).run();
}

std::uint64_t count_parameters(const Model& model) {
  std::set<const Tensor*> counted;
  for (const auto& weights : weight_tensors(model))
    counted.insert(weights.tensor);
  for (const auto& node : model.nodes) {
    if (node.op_type == "Conv" || node.op_type == "Gemm")
      counted.insert(constant_input(model, node, 2).tensor);
    if (node.op_type == "BatchNormalization")
      for (const std::size_t index : {1, 2})
        counted.insert(constant_input(model, node, index).tensor);
  }
  std::uint64_t parameters = 0;
  for (const Tensor* tensor : counted)
    if (tensor) parameters += static_cast<std::uint64_t>(tensor->element_count());
  return parameters;
}

}  // namespace assay::onnx
