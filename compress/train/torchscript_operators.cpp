#include "compress/train/torchscript_operators.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <algorithm>

namespace assay {
namespace {

using Integers = std::vector<std::int64_t>;

const ScriptArgument& argument(const ScriptCall& call, std::size_t index) {
  if (index >= call.arguments.size()) throw UnsupportedCall{"has fewer arguments than expected"};
  return call.arguments[index];
}

bool is_given(const ScriptCall& call, std::size_t index) {
  return index < call.arguments.size() && !call.arguments[index].value.isNone();
}

/// A pair of extents, given as two numbers or as one for both.
Integers pair_of(const ScriptCall& call, std::size_t index) {
  const c10::IValue& value = argument(call, index).value;
  if (!value.isIntList()) throw UnsupportedCall{"has a window that is not given in numbers"};
  Integers numbers = value.toIntVector();
  if (numbers.size() == 1) numbers.push_back(numbers[0]);
  if (numbers.size() != 2) throw UnsupportedCall{"has a window that has not two dimensions"};
  return numbers;
}

void refuse_unless(bool supported, const char* why) {
  if (!supported) throw UnsupportedCall{why};
}

/// "layer1.0.conv1" of the weights "layer1.0.conv1.weight".
std::string layer_name(const ScriptArgument& weights, const std::string& op) {
  const std::string suffix = ".weight";
  if (!weights.name.ends_with(suffix)) return weights.name.empty() ? op : weights.name;
  return weights.name.substr(0, weights.name.size() - suffix.size());
}

const at::Tensor& constant_of(const ScriptCall& call, std::size_t index) {
  const ScriptArgument& given = argument(call, index);
  refuse_unless(!given.computed, "has weights that are computed from the image");
  return given.value.toTensor();
}

std::string convolution(ScriptWriter& writer, const ScriptCall& call, std::size_t groups) {
  const at::Tensor& weights = constant_of(call, 1);
  refuse_unless(weights.dim() == 4, "is no convolution of images");
  const Integers padding = pair_of(call, 4);
  const std::string name = layer_name(argument(call, 1), "conv");
  std::vector<std::string> inputs{writer.input(argument(call, 0)),
                                  writer.weights(name + ".weight", weights)};
  if (is_given(call, 2)) inputs.push_back(writer.constant(name + ".bias", constant_of(call, 2)));
  return writer.node("Conv", name, inputs,
                     {{"kernel_shape", Integers{weights.size(2), weights.size(3)}},
                      {"strides", pair_of(call, 3)},
                      {"pads", Integers{padding[0], padding[1], padding[0], padding[1]}},
                      {"dilations", pair_of(call, 5)},
                      {"group", argument(call, groups).value.toInt()}});
}

/// conv2d(input, weight, bias, stride, padding, dilation, groups)
std::string conv2d(ScriptWriter& writer, const ScriptCall& call) {
  return convolution(writer, call, 6);
}

/// _convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
std::string any_convolution(ScriptWriter& writer, const ScriptCall& call) {
  refuse_unless(!argument(call, 6).value.toBool(), "is a transposed convolution");
  return convolution(writer, call, 8);
}

/// batch_norm(input, weight, bias, mean, variance, training, momentum, epsilon, ...)
std::string batch_norm(ScriptWriter& writer, const ScriptCall& call) {
  refuse_unless(!argument(call, 5).value.toBool() && is_given(call, 3) && is_given(call, 4),
                "uses the statistics of the batch");
  const at::Tensor& mean = constant_of(call, 3);
  const std::string name = layer_name(argument(call, 1), "batch_norm");
  const at::Tensor gamma = is_given(call, 1) ? constant_of(call, 1) : at::ones_like(mean);
  const at::Tensor beta = is_given(call, 2) ? constant_of(call, 2) : at::zeros_like(mean);
  return writer.node(
      "BatchNormalization", name,
      {writer.input(argument(call, 0)), writer.constant(name + ".weight", gamma),
       writer.constant(name + ".bias", beta), writer.constant(name + ".running_mean", mean),
       writer.constant(name + ".running_var", constant_of(call, 4))},
      {{"epsilon", static_cast<float>(argument(call, 7).value.toDouble())}});
}

std::string dense(ScriptWriter& writer, const ScriptCall& call, std::size_t input,
                  const ScriptArgument& weights, const at::Tensor& matrix, std::size_t bias) {
  refuse_unless(argument(call, input).value.toTensor().dim() == 2, "is not of flat values");
  const std::string name = layer_name(weights, "linear");
  std::vector<std::string> inputs{writer.input(argument(call, input)),
                                  writer.weights(name + ".weight", matrix)};
  if (is_given(call, bias)) {
    const at::Tensor& row = constant_of(call, bias);
    refuse_unless(row.dim() == 1, "has a bias that is no row");
    inputs.push_back(writer.constant(name + ".bias", row));
  }
  return writer.node("Gemm", name, inputs, {{"transB", std::int64_t{1}}});
}

/// linear(input, weight [out][in], bias)
std::string linear(ScriptWriter& writer, const ScriptCall& call) {
  return dense(writer, call, 0, argument(call, 1), constant_of(call, 1), 2);
}

/// addmm(bias, input, weight [in][out], beta, alpha)
std::string addmm(ScriptWriter& writer, const ScriptCall& call) {
  for (std::size_t factor : {3U, 4U})
    refuse_unless(argument(call, factor).value.toScalar().toDouble() == 1, "is scaled");
  return dense(writer, call, 1, argument(call, 2), constant_of(call, 2).t(), 0);
}

std::string relu(ScriptWriter& writer, const ScriptCall& call) {
  return writer.node("Relu", "relu", {writer.input(argument(call, 0))});
}

std::string clip_to(ScriptWriter& writer, const ScriptCall& call, const c10::IValue& low,
                    const c10::IValue& high) {
  std::vector<std::string> inputs{writer.input(argument(call, 0))};
  for (const auto& [limit, what] : {std::pair(&low, "clip.min"), std::pair(&high, "clip.max")})
    inputs.push_back(limit->isNone()
                         ? ""
                         : writer.constant(what, at::scalar_tensor(limit->toScalar(), at::kFloat)));
  return writer.node("Clip", "clip", inputs);
}

std::string relu6(ScriptWriter& writer, const ScriptCall& call) {
  return clip_to(writer, call, 0.0, 6.0);
}

/// clamp(input, min, max) and hardtanh(input, min, max)
std::string clamp(ScriptWriter& writer, const ScriptCall& call) {
  const c10::IValue& low = argument(call, 1).value;
  const c10::IValue& high = argument(call, 2).value;
  refuse_unless(!low.isTensor() && !high.isTensor(), "has limits that are tensors");
  return clip_to(writer, call, low, high);
}

std::string sigmoid(ScriptWriter& writer, const ScriptCall& call) {
  return writer.node("Sigmoid", "sigmoid", {writer.input(argument(call, 0))});
}

std::string hard_sigmoid(ScriptWriter& writer, const ScriptCall& call) {
  return writer.node("HardSigmoid", "hardsigmoid", {writer.input(argument(call, 0))},
                     {{"alpha", 1.0F / 6}, {"beta", 0.5F}});
}

/// The input times a gate computed from it.
std::string gated(ScriptWriter& writer, const ScriptCall& call,
                  std::string (*gate)(ScriptWriter&, const ScriptCall&)) {
  return writer.node("Mul", call.op, {writer.input(argument(call, 0)), gate(writer, call)});
}

std::string silu(ScriptWriter& writer, const ScriptCall& call) {
  return gated(writer, call, sigmoid);
}

std::string hard_swish(ScriptWriter& writer, const ScriptCall& call) {
  return gated(writer, call, hard_sigmoid);
}

std::map<std::string, onnx::Attribute> window(const ScriptCall& call) {
  const Integers kernel = pair_of(call, 1);
  const Integers padding = pair_of(call, 3);
  const Integers given = argument(call, 2).value.toIntVector();
  return {{"kernel_shape", kernel},
          {"strides", given.empty() ? kernel : pair_of(call, 2)},
          {"pads", Integers{padding[0], padding[1], padding[0], padding[1]}}};
}

/// max_pool2d(input, kernel, stride, padding, dilation, ceil_mode)
std::string max_pool(ScriptWriter& writer, const ScriptCall& call) {
  refuse_unless(!argument(call, 5).value.toBool(), "rounds its size up (ceil_mode)");
  auto attributes = window(call);
  attributes["dilations"] = pair_of(call, 4);
  return writer.node("MaxPool", "max_pool", {writer.input(argument(call, 0))}, attributes);
}

/// avg_pool2d(input, kernel, stride, padding, ceil_mode, count_include_pad, divisor)
std::string average_pool(ScriptWriter& writer, const ScriptCall& call) {
  refuse_unless(!argument(call, 4).value.toBool(), "rounds its size up (ceil_mode)");
  refuse_unless(!is_given(call, 6), "divides by a number of its own");
  auto attributes = window(call);
  attributes["count_include_pad"] = std::int64_t{argument(call, 5).value.toBool()};
  return writer.node("AveragePool", "avg_pool", {writer.input(argument(call, 0))}, attributes);
}

std::string global_average_pool(ScriptWriter& writer, const ScriptCall& call) {
  refuse_unless(pair_of(call, 1) == Integers{1, 1}, "pools to another size than 1 x 1");
  return writer.node("GlobalAveragePool", "avg_pool", {writer.input(argument(call, 0))});
}

/// mean(input, axes, keepdim, dtype)
std::string mean(ScriptWriter& writer, const ScriptCall& call) {
  const at::Tensor& input = argument(call, 0).value.toTensor();
  refuse_unless(argument(call, 1).value.isIntList() && input.dim() == 4,
                "is not over height and width");
  Integers axes = argument(call, 1).value.toIntVector();
  for (std::int64_t& axis : axes)
    if (axis < 0) axis += 4;
  std::sort(axes.begin(), axes.end());
  refuse_unless(axes == Integers{2, 3}, "is not over height and width");
  const std::string pooled =
      writer.node("GlobalAveragePool", "mean", {writer.input(argument(call, 0))});
  if (argument(call, 2).value.toBool()) return pooled;
  return writer.node("Flatten", "mean.flatten", {pooled}, {{"axis", std::int64_t{1}}});
}

/// Whatever makes [N, rest] of a value, told by the sizes it was seen to have.
std::string flatten(ScriptWriter& writer, const ScriptCall& call) {
  const at::Tensor& input = argument(call, 0).value.toTensor();
  const std::string name = writer.input(argument(call, 0));
  if (call.output.sizes() == input.sizes()) return name;
  refuse_unless(call.output.dim() == 2 && call.output.size(0) == input.size(0),
                "makes another shape than [N, rest]");
  return writer.node("Flatten", "flatten", {name}, {{"axis", std::int64_t{1}}});
}

std::string binary(ScriptWriter& writer, const ScriptCall& call, const char* op_type) {
  std::vector<std::string> inputs;
  for (std::size_t i : {0U, 1U}) {
    const ScriptArgument& given = argument(call, i);
    inputs.push_back(
        given.value.isTensor()
            ? writer.input(given)
            : writer.constant(call.op, at::scalar_tensor(given.value.toScalar(), at::kFloat)));
  }
  return writer.node(op_type, call.op, inputs);
}

/// add(input, other, alpha)
std::string add(ScriptWriter& writer, const ScriptCall& call) {
  refuse_unless(!is_given(call, 2) || argument(call, 2).value.toScalar().toDouble() == 1,
                "is scaled");
  return binary(writer, call, "Add");
}

std::string mul(ScriptWriter& writer, const ScriptCall& call) {
  return binary(writer, call, "Mul");
}

std::string cat(ScriptWriter& writer, const ScriptCall& call) {
  const std::int64_t rank = call.output.dim();
  const std::int64_t axis = argument(call, 1).value.toInt();
  refuse_unless((axis < 0 ? axis + rank : axis) == 1, "does not join channels (dimension 1)");
  return writer.node("Concat", "cat", argument(call, 0).names, {{"axis", std::int64_t{1}}});
}

/// softmax(input, dim, dtype)
std::string softmax(ScriptWriter& writer, const ScriptCall& call) {
  const std::int64_t axis = argument(call, 1).value.toInt();
  refuse_unless(call.output.dim() == 2 && (axis == 1 || axis == -1), "is not over classes");
  return writer.node("Softmax", "softmax", {writer.input(argument(call, 0))},
                     {{"axis", std::int64_t{1}}});
}

std::string same(ScriptWriter& writer, const ScriptCall& call) {
  return writer.input(argument(call, 0));
}

/// dropout(input, p, train)
std::string dropout(ScriptWriter& writer, const ScriptCall& call) {
  refuse_unless(!argument(call, 2).value.toBool(), "drops values in inference too");
  return same(writer, call);
}

using Write = std::string (*)(ScriptWriter&, const ScriptCall&);

const std::map<std::string, Write>& writers() {
  static const std::map<std::string, Write> table = {
      {"_convolution", any_convolution},
      {"adaptive_avg_pool2d", global_average_pool},
      {"add", add},
      {"addmm", addmm},
      {"avg_pool2d", average_pool},
      {"batch_norm", batch_norm},
      {"cat", cat},
      {"clamp", clamp},
      {"contiguous", same},
      {"conv2d", conv2d},
      {"convolution", any_convolution},
      {"detach", same},
      {"dropout", dropout},
      {"feature_dropout", dropout},
      {"flatten", flatten},
      {"hardsigmoid", hard_sigmoid},
      {"hardswish", hard_swish},
      {"hardtanh", clamp},
      {"linear", linear},
      {"max_pool2d", max_pool},
      {"mean", mean},
      {"mul", mul},
      {"relu", relu},
      {"relu6", relu6},
      {"reshape", flatten},
      {"sigmoid", sigmoid},
      {"silu", silu},
      {"softmax", softmax},
      {"squeeze", flatten},
      {"view", flatten},
  };
  return table;
}

}  // namespace

std::string ScriptWriter::write(const ScriptCall& call) {
  const auto found = writers().find(call.op);
  if (found == writers().end()) throw UnsupportedCall{"is not supported"};
  return found->second(*this, call);
}

std::string ScriptWriter::unused(const std::string& wanted) {
  std::string name = wanted;
  for (int number = 2; !taken_.insert(name).second; ++number)
    name = fmt::format("{}_{}", wanted, number);
  return name;
}

std::string ScriptWriter::constant(const std::string& wanted, const at::Tensor& value) {
  const std::string name = unused(wanted);
  const at::Tensor plain = value.detach().to(at::kCPU, at::kFloat).contiguous();
  model_.initializers[name] =
      onnx::Tensor::of<float>(name, onnx::ElementType::float32, plain.sizes().vec(),
                              {plain.data_ptr<float>(), static_cast<std::size_t>(plain.numel())});
  return name;
}

std::string ScriptWriter::weights(const std::string& wanted, const at::Tensor& value) {
  if (!used_weights_.insert(value.data_ptr()).second)
    throw UnsupportedCall{"shares its weights with an earlier layer"};
  return constant(wanted, value);
}

std::string ScriptWriter::node(const std::string& op_type, const std::string& wanted,
                               std::vector<std::string> inputs,
                               std::map<std::string, onnx::Attribute> attributes) {
  const std::string name = unused(wanted);
  model_.nodes.push_back({name, op_type, "", std::move(inputs), {name}, std::move(attributes)});
  return name;
}

std::string ScriptWriter::input(const ScriptArgument& argument) {
  if (argument.computed) return argument.name;
  return constant(argument.name.empty() ? "constant" : argument.name, argument.value.toTensor());
}

}  // namespace assay
