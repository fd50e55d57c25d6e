#include "compress/train/interpreter.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <map>

#include "compress/train/operators.hpp"
#include "compress/train/trainable.hpp"

namespace assay {
namespace {

using Integers = std::vector<std::int64_t>;
using Values = std::map<std::string, at::Tensor>;

Status apply(const onnx::Node& node, const Values& constants, Values& values,
             const std::string& source) {
  std::vector<at::Tensor> inputs;
  for (const std::string& name : node.inputs) {
    const auto constant = constants.find(name);
    inputs.push_back(constant != constants.end() ? constant->second : values[name]);
  }
  ASSAY_TRY(const at::Tensor output, apply_operator(node, std::move(inputs), source));
  values[node.outputs[0]] = output.contiguous();
  return {};
}

}  // namespace

struct Interpreter::State {
  std::string source;
  Integers input_shape;  // of one image: channels, height, width
  std::string input;
  std::string output;
  std::vector<onnx::Node> nodes;
  Values constants;

  bool constant_inputs(const onnx::Node& node) const {
    for (const std::string& name : node.inputs)
      if (!name.empty() && !constants.contains(name)) return false;
    return true;
  }

  Status add(const onnx::Node& node) {
    ASSAY_CHECK(check_operator(node, source));
    if (!constant_inputs(node)) {
      nodes.push_back(node);
      return {};
    }
    return apply(node, constants, constants, source);
  }
};

Interpreter::Interpreter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Interpreter::Interpreter(Interpreter&& other) noexcept = default;
Interpreter& Interpreter::operator=(Interpreter&& other) noexcept = default;
Interpreter::~Interpreter() = default;

Result<Interpreter> Interpreter::create(const onnx::Model& model, const std::string& source) {
  const c10::InferenceMode inference;
  if (model.inputs.size() != 1 || model.inputs[0].shape.size() != 4 || model.outputs.size() != 1)
    return fail(ErrorKind::bad_input,
                fmt::format("{} must have one image input [N, channels, height, width] and one "
                            "output",
                            source));
  auto state = std::make_unique<State>();
  state->source = source;
  const Integers& shape = model.inputs[0].shape;
  state->input_shape.assign(shape.begin() + 1, shape.end());
  state->input = model.inputs[0].name;
  state->output = model.outputs[0].name;
  for (const auto& [name, tensor] : model.initializers)
    state->constants[name] = constant_tensor(tensor);
  for (const onnx::Node& node : model.nodes)
    ASSAY_CHECK(state->add(node));
  return Interpreter(std::move(state));
}

Result<std::vector<float>> Interpreter::run(std::span<const float> input, int images,
                                            const Watch& watch) const {
  const c10::InferenceMode inference;
  Integers shape = state_->input_shape;
  shape.insert(shape.begin(), images);
  Values values;
  auto* data = const_cast<float*>(input.data());
  values[state_->input] = at::from_blob(data, shape, at::TensorOptions(at::kFloat));
  auto show = [&](const std::string& name) {
    const at::Tensor& tensor = values[name];
    if (!watch || tensor.scalar_type() != at::kFloat) return;
    watch(name, {tensor.data_ptr<float>(), std::size_t(tensor.numel())}, images);
  };
  show(state_->input);
  for (const onnx::Node& node : state_->nodes) {
    ASSAY_CHECK(apply(node, state_->constants, values, state_->source));
    show(node.outputs[0]);
  }
  const at::Tensor& output = values[state_->output];
  if (!output.defined() || output.scalar_type() != at::kFloat || output.dim() < 1 ||
      output.size(0) != images)
    return fail(ErrorKind::bad_input,
                fmt::format("{}: the output '{}' must hold float values of every image",
                            state_->source, state_->output));
  const float* first = output.data_ptr<float>();
  return std::vector<float>(first, first + output.numel());
}

}  // namespace assay
