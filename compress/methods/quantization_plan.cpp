#include "compress/methods/quantization_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace assay {
namespace {

constexpr std::size_t all_inputs = std::numeric_limits<std::size_t>::max();

const std::map<std::string, Step>& known_operators() {
  static const std::map<std::string, Step> operators = {
      {"Conv", {Role::weighted, 1}},
      {"Gemm", {Role::weighted, 1}},
      {"Add", {Role::combination, 2}},
      {"Mul", {Role::combination, 2}},
      {"Concat", {Role::combination, all_inputs}},
      {"Sigmoid", {Role::unit, 1}},
      {"HardSigmoid", {Role::unit, 1}},
      {"Relu", {Role::activation, 1}},
      {"Clip", {Role::activation, 1}},
      {"MaxPool", {Role::keep_scale, 1}},
      {"AveragePool", {Role::keep_scale, 1}},
      {"GlobalAveragePool", {Role::keep_scale, 1}},
      {"Flatten", {Role::keep_scale, 1}},
      {"Reshape", {Role::keep_scale, 1}},
      {"Identity", {Role::keep_scale, 1}},
  };
  return operators;
}

class Planner {
 public:
  explicit Planner(const onnx::Model& model) : model_(model) {
    for (const onnx::Node& node : model.nodes)
      for (const std::string& input : node.inputs)
        ++readers_[input];
    for (const onnx::ValueInfo& output : model.outputs)
      ++readers_[output.name];
  }

  Result<QuantizationPlan> run() {
    if (model_.inputs.size() != 1)
      return fail(ErrorKind::bad_input,
                  fmt::format("quantization needs a model with one input, this one has {}",
                              model_.inputs.size()));
    observe(model_.inputs[0].name);
    for (const onnx::Node& node : model_.nodes) {
      ASSAY_TRY(const Step step, step_of(node));
      plan_.steps.push_back(step);
      if (step.role == Role::constant) continue;
      ASSAY_CHECK(step.role == Role::activation ? fuse(node) : place(node, step));
    }
    for (const std::string& output : open_operators_)
      observe(output);
    std::sort(plan_.observed.begin(), plan_.observed.end());
    return std::move(plan_);
  }

 private:
  void observe(const std::string& tensor) {
    plan_.scale_from[tensor] = tensor;
    plan_.observed.push_back(tensor);
  }

  Result<Step> step_of(const onnx::Node& node) const {
    if (dequantizes_weights(model_, node)) return Step{Role::constant, 0};
    const auto found = known_operators().find(node.op_type);
    if (node.op_type == "BatchNormalization" && node.domain.empty())
      return refuse_node(node, "fold batch normalization into the layers first");
    if (found == known_operators().end() || !node.domain.empty())
      return refuse_node(node, "the operator has no int8 form here");
    if (node.op_type == "Clip") ASSAY_CHECK(check_clip(node));
    Step step = found->second;
    if (step.activations == all_inputs) step.activations = node.inputs.size();
    return step;
  }

  Status check_clip(const onnx::Node& node) const {
    const onnx::Tensor* low = node.inputs.size() > 1 ? model_.initializer(node.inputs[1]) : nullptr;
    if (!low || low->type != onnx::ElementType::float32 || low->element_count() != 1 ||
        low->as<float>()[0] != 0)
      return refuse_node(node, "its lower bound must be the constant 0");
    return {};
  }

  Status place(const onnx::Node& node, const Step& step) {
    for (std::size_t i = 0; i < step.activations; ++i) {
      if (i >= node.inputs.size() || !is_activation(node.inputs[i]))
        return refuse_node(node, fmt::format("input {} is not an activation", i));
      settle(node.inputs[i]);
    }
    const std::string& output = node.outputs[0];
    if (step.role == Role::keep_scale) {
      plan_.scale_from[output] = plan_.scale_from[node.inputs[0]];
    } else if (step.role == Role::unit) {
      plan_.scale_from[output] = output;
      plan_.unit.insert(output);
    } else {
      open_operators_.insert(output);
    }
    return {};
  }

  Status fuse(const onnx::Node& node) {
    const std::string& input = node.inputs[0];
    if (!open_operators_.contains(input) || readers_[input] != 1)
      return refuse_node(node,
                         "it must be the only reader of a convolution, dense layer, addition, "
                         "multiplication or concatenation");
    open_operators_.erase(input);
    plan_.fused.insert(input);
    observe(node.outputs[0]);
    return {};
  }

  bool is_activation(const std::string& tensor) const {
    return plan_.scale_from.contains(tensor) || open_operators_.contains(tensor);
  }

  // An operator's output read by something else than an activation function gets its own scale.
  void settle(const std::string& tensor) {
    if (open_operators_.erase(tensor) > 0) observe(tensor);
  }

  const onnx::Model& model_;
  std::map<std::string, int> readers_;
  std::set<std::string> open_operators_;  // outputs without a scale yet
  QuantizationPlan plan_;
};

}  // namespace

Result<QuantizationPlan> plan_quantization(const onnx::Model& model) {
  return Planner(model).run();
}

}  // namespace assay
