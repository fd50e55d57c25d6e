#include "compress/onnx/packed_size.hpp"

#include <set>

#include "compress/onnx/weight_tensors.hpp"

namespace assay::onnx {
namespace {

/// Sorts constants into the parts of a PackedSize, each once.
class Counter {
 public:
  explicit Counter(const Model& model) : model_(model) {}

  PackedSize run() {
    for (const WeightStatistics& weights : weight_statistics(model_)) {
      counted_.insert(model_.initializer(weights.tensor));
      size_.weights += weights.bytes;
    }
    for (const Node& node : model_.nodes) {
      if (node.op_type == "Conv" || node.op_type == "Gemm")
        add(constant_input(model_, node, 2).tensor, size_.biases);
      if (node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear")
        for (std::size_t i = 1; i < node.inputs.size(); ++i)
          add(model_.initializer(node.inputs[i]), size_.scales);
    }
    for (const auto& [name, tensor] : model_.initializers)
      add(&tensor, size_.others);
    return size_;
  }

 private:
  void add(const Tensor* tensor, std::uint64_t& part) {
    if (tensor && counted_.insert(tensor).second) part += tensor->data.size();
  }

  const Model& model_;
  std::set<const Tensor*> counted_;
  PackedSize size_;
};

}  // namespace

PackedSize packed_weight_bytes(const Model& model) {
  return Counter(model).run();
}

}  // namespace assay::onnx
