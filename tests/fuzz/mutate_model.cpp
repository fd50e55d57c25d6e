#include "tests/fuzz/mutate_model.hpp"

#include <algorithm>
#include <limits>

namespace assay::test {
namespace {

using onnx::Model;
using onnx::Node;
using onnx::Tensor;
using Integers = std::vector<std::int64_t>;

constexpr const char* operators[] = {"Add",
                                     "AveragePool",
                                     "Clip",
                                     "Concat",
                                     "Conv",
                                     "DequantizeLinear",
                                     "Flatten",
                                     "Gemm",
                                     "MatMul",
                                     "MaxPool",
                                     "GlobalAveragePool",
                                     "HardSigmoid",
                                     "HardSwish",
                                     "Identity",
                                     "Mul",
                                     "LeakyRelu",
                                     "QuantizeLinear",
                                     "Relu",
                                     "Reshape",
                                     "Sigmoid",
                                     "Softmax",
                                     "Tanh",
                                     "Transpose",
                                     "Elu"};
constexpr const char* attributes[] = {"axis",         "group",    "strides",   "pads",
                                      "kernel_shape", "transA",   "transB",    "alpha",
                                      "beta",         "auto_pad", "dilations", "ceil_mode"};
constexpr std::int64_t numbers[] = {0,
                                    1,
                                    2,
                                    3,
                                    4,
                                    7,
                                    16,
                                    1 << 20,
                                    -1,
                                    -2,
                                    std::numeric_limits<std::int64_t>::max(),
                                    std::numeric_limits<std::int64_t>::min()};

class Mutation {
 public:
  Mutation(Model& model, std::mt19937& random) : model_(model), random_(random) {}

  void apply() {
    if (model_.nodes.empty()) return;
    switch (below(9)) {
      case 0:
        node().op_type = one_of(operators);
        break;
      case 1:
        set_attribute(node());
        break;
      case 2:
        rename_input(node());
        break;
      case 3:
        model_.nodes.erase(model_.nodes.begin() + std::ptrdiff_t(below(model_.nodes.size())));
        break;
      case 4:
        add_node();
        break;
      case 5:
        reshape();
        break;
      case 6:
        fill();
        break;
      case 7:
        change_input_shape();
        break;
      default:
        if (!model_.outputs.empty()) model_.outputs[0].name = any_name();
    }
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  template <class T, std::size_t n>
  T one_of(const T (&values)[n]) {
    return values[below(n)];
  }
  Node& node() { return model_.nodes[below(model_.nodes.size())]; }

  std::string any_name() {
    const Node& from = node();
    if (below(2) && !from.outputs.empty()) return from.outputs[below(from.outputs.size())];
    return from.inputs.empty() ? "" : from.inputs[below(from.inputs.size())];
  }

  void set_attribute(Node& at) {
    const std::string key = one_of(attributes);
    const std::size_t kind = below(4);
    if (kind == 0)
      at.attributes[key] = one_of(numbers);
    else if (kind == 1)
      at.attributes[key] = Integers(below(6), one_of(numbers));
    else if (kind == 2)
      at.attributes[key] = std::numeric_limits<float>::quiet_NaN();
    else
      at.attributes.erase(key);
  }

  void rename_input(Node& at) {
    if (at.inputs.empty()) return;
    if (below(4) == 0)
      at.inputs.pop_back();
    else
      at.inputs[below(at.inputs.size())] = any_name();
  }

  void add_node() {
    Node copy = node();
    for (std::string& output : copy.outputs)
      output += "_again";
    copy.name += "_again";
    model_.nodes.insert(model_.nodes.begin() + std::ptrdiff_t(below(model_.nodes.size() + 1)),
                        std::move(copy));
  }

  Tensor* tensor() {
    if (model_.initializers.empty()) return nullptr;
    return &std::next(model_.initializers.begin(),
                      std::ptrdiff_t(below(model_.initializers.size())))
                ->second;
  }

  /// The same elements in another shape, or as many as a small shape asks for.
  void reshape() {
    Tensor* at = tensor();
    if (!at) return;
    if (at->shape.size() > 1 && below(2)) {
      std::shuffle(at->shape.begin(), at->shape.end(), random_);
      return;
    }
    at->shape.assign(below(5), std::int64_t(below(4)));
    at->data.resize(std::size_t(at->element_count()) * onnx::size_of(at->type));
  }

  void fill() {
    if (Tensor* at = tensor())
      for (std::byte& byte : at->data)
        if (below(3) == 0) byte = std::byte(below(256));
  }

  void change_input_shape() {
    if (model_.inputs.empty() || model_.inputs[0].shape.empty()) return;
    auto& shape = model_.inputs[0].shape;
    shape[below(shape.size())] = one_of(numbers);
  }

  Model& model_;
  std::mt19937& random_;
};

}  // namespace

void mutate(Model& model, std::mt19937& random) {
  Mutation(model, random).apply();
}

}  // namespace assay::test
