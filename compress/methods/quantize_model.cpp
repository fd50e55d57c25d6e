#include "compress/methods/quantize_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace assay {
namespace {

enum class Role {
  weighted,    ///< Conv, Gemm: own scale
  sum,         ///< Add of two activations: own scale
  activation,  ///< Relu, Clip: fused into the operator before it
  keep_scale,  ///< pools, reshapes: the input's scale
};

/// How each node and tensor takes part in quantization.
struct Plan {
  std::vector<Role> roles;                        ///< one per node
  std::map<std::string, std::string> scale_from;  ///< tensor -> the observed tensor it scales with
  std::set<std::string> fused;  ///< outputs that go straight into a fused activation
  std::vector<std::string> observed;
};

class Planner {
 public:
  explicit Planner(const onnx::Model& model) : model_(model) {
    for (const onnx::Node& node : model.nodes)
      for (const std::string& input : node.inputs)
        ++readers_[input];
    for (const onnx::ValueInfo& output : model.outputs)
      ++readers_[output.name];
  }

  Result<Plan> run() {
    if (model_.inputs.size() != 1)
      return fail(ErrorKind::bad_input,
                  fmt::format("quantization needs a model with one input, this one has {}",
                              model_.inputs.size()));
    observe(model_.inputs[0].name);
    std::set<std::string> names;
    for (const onnx::Node& node : model_.nodes) {
      if (!names.insert(node.name).second) return refuse(node, "another node has the same name");
      ASSAY_TRY(const Role role, role_of(node));
      plan_.roles.push_back(role);
      ASSAY_CHECK(role == Role::activation ? fuse(node) : place(node, role));
    }
    for (const auto& [output, operator_name] : open_operators_)
      observe(output);
    std::sort(plan_.observed.begin(), plan_.observed.end());
    return std::move(plan_);
  }

 private:
  static tl::unexpected<Error> refuse(const onnx::Node& node, const std::string& why) {
    return fail(ErrorKind::bad_input,
                fmt::format("cannot quantize node '{}' ({}): {}", node.name, node.op_type, why));
  }

  void observe(const std::string& tensor) {
    plan_.scale_from[tensor] = tensor;
    plan_.observed.push_back(tensor);
  }

  Result<Role> role_of(const onnx::Node& node) const {
    static const std::map<std::string, Role> roles = {
        {"Conv", Role::weighted},
        {"Gemm", Role::weighted},
        {"Add", Role::sum},
        {"Relu", Role::activation},
        {"Clip", Role::activation},
        {"MaxPool", Role::keep_scale},
        {"AveragePool", Role::keep_scale},
        {"GlobalAveragePool", Role::keep_scale},
        {"Flatten", Role::keep_scale},
        {"Reshape", Role::keep_scale},
    };
    const auto found = roles.find(node.op_type);
    if (found == roles.end() || !node.domain.empty())
      return refuse(node, "the operator has no int8 form here");
    if (found->second == Role::weighted) ASSAY_CHECK(check_weights(node));
    if (node.op_type == "Clip") ASSAY_CHECK(check_clip(node));
    return found->second;
  }

  Status check_weights(const onnx::Node& node) const {
    const onnx::Tensor* weights =
        node.inputs.size() > 1 ? model_.initializer(node.inputs[1]) : nullptr;
    if (!weights || weights->type != onnx::ElementType::float32 || weights->element_count() == 0)
      return refuse(node, "its weights must be a float32 constant");
    if (node.op_type == "Gemm" &&
        (node.integer("transB", 0) != 1 || node.integer("transA", 0) != 0 ||
         node.real("alpha", 1) != 1 || node.real("beta", 1) != 1))
      return refuse(node, "only transB = 1, transA = 0, alpha = beta = 1 is supported");
    if (!has_bias(node)) return {};
    const onnx::Tensor* bias = model_.initializer(node.inputs[2]);
    if (!bias || bias->type != onnx::ElementType::float32 ||
        bias->element_count() != weights->shape[0])
      return refuse(node, "its bias must be a float32 constant, one per output channel");
    return {};
  }

  Status check_clip(const onnx::Node& node) const {
    const onnx::Tensor* low = node.inputs.size() > 1 ? model_.initializer(node.inputs[1]) : nullptr;
    if (!low || low->type != onnx::ElementType::float32 || low->element_count() != 1 ||
        low->as<float>()[0] != 0)
      return refuse(node, "its lower bound must be the constant 0");
    return {};
  }

  Status place(const onnx::Node& node, Role role) {
    for (std::size_t i = 0; i < (role == Role::sum ? 2 : 1); ++i) {
      if (i >= node.inputs.size() || !is_activation(node.inputs[i]))
        return refuse(node, fmt::format("input {} is not an activation", i));
      settle(node.inputs[i]);
    }
    if (role == Role::keep_scale)
      plan_.scale_from[node.outputs[0]] = plan_.scale_from[node.inputs[0]];
    else
      open_operators_[node.outputs[0]] = node.name;
    return {};
  }

  Status fuse(const onnx::Node& node) {
    const std::string& input = node.inputs[0];
    if (!open_operators_.contains(input) || readers_[input] != 1)
      return refuse(node, "it must be the only reader of a convolution, dense layer or addition");
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

  static bool has_bias(const onnx::Node& node) {
    return node.inputs.size() > 2 && !node.inputs[2].empty();
  }

  const onnx::Model& model_;
  std::map<std::string, int> readers_;
  std::map<std::string, std::string> open_operators_;  // output -> node, no scale yet
  Plan plan_;
};

class Rewriter {
 public:
  Rewriter(const onnx::Model& model, const Plan& plan,
           const std::map<std::string, ActivationScale>& scales)
      : model_(model), plan_(plan), scales_(scales) {}

  onnx::Model run(Json& report) {
    result_ = model_;
    result_.nodes.clear();
    result_.initializers.clear();
    const std::string& input = model_.inputs[0].name;
    append_pair(input, input, input + ".dequantized");
    for (std::size_t i = 0; i < model_.nodes.size(); ++i)
      rewrite(model_.nodes[i], plan_.roles[i]);
    report["weights"] = std::move(weight_report_);
    report["notices"] = std::move(notices_);
    return std::move(result_);
  }

 private:
  const ActivationScale& scale_of(const std::string& tensor) const {
    return scales_.at(plan_.scale_from.at(tensor));
  }

  void rewrite(onnx::Node node, Role role) {
    const std::size_t activations = role == Role::sum ? 2 : 1;
    const ActivationScale input_scale =
        role == Role::weighted ? scale_of(node.inputs[0]) : ActivationScale{};
    for (std::size_t i = 1; i < node.inputs.size(); ++i)
      if (role != Role::weighted) keep_constant(node.inputs[i]);
    for (std::size_t i = 0; i < activations; ++i)
      if (node.inputs[i] == model_.inputs[0].name) node.inputs[i] += ".dequantized";
    if (role == Role::activation) node.inputs[0] += ".raw";
    if (role == Role::weighted) quantize_constants(node, input_scale.scale);
    const std::string output = node.outputs[0];
    node.outputs[0] = output + ".raw";
    result_.nodes.push_back(std::move(node));
    if (!plan_.fused.contains(output)) append_pair(output, output + ".raw", output);
  }

  void keep_constant(const std::string& name) {
    if (const onnx::Tensor* constant = model_.initializer(name))
      result_.initializers[name] = *constant;
  }

  template <class T>
  std::string constant(const std::string& name, onnx::ElementType type,
                       const std::vector<std::int64_t>& shape, std::span<const T> values) {
    result_.initializers[name] = onnx::Tensor::of<T>(name, type, shape, values);
    return name;
  }

  /// QuantizeLinear and DequantizeLinear of the activation `tensor`, from `before` to `after`.
  void append_pair(const std::string& tensor, const std::string& before, const std::string& after) {
    const ActivationScale& scale = scale_of(tensor);
    const std::string scale_name =
        constant<float>(tensor + ".scale", onnx::ElementType::float32, {}, {&scale.scale, 1});
    const std::string zero_name = constant<std::int8_t>(
        tensor + ".zero_point", onnx::ElementType::int8, {}, {&scale.zero_point, 1});
    const std::string quantized = tensor + ".quantized";
    append("QuantizeLinear", tensor + ".quantize", {before, scale_name, zero_name}, quantized);
    append("DequantizeLinear", tensor + ".dequantize", {quantized, scale_name, zero_name}, after);
  }

  onnx::Node& append(const char* op_type, const std::string& name, std::vector<std::string> inputs,
                     const std::string& output) {
    onnx::Node node;
    node.name = name;
    node.op_type = op_type;
    node.inputs = std::move(inputs);
    node.outputs = {output};
    return result_.nodes.emplace_back(std::move(node));
  }

  void quantize_constants(onnx::Node& node, float input_scale) {
    const onnx::Tensor& weights = *model_.initializer(node.inputs[1]);
    const QuantizedWeights quantized = quantize_weights(weights.as<float>(), weights.shape[0]);
    node.inputs[1] =
        append_constant<std::int8_t>(node.name + ".weight", onnx::ElementType::int8, weights.shape,
                                     quantized.values, quantized.scales);
    note_weights(node, quantized);
    if (node.inputs.size() < 3 || node.inputs[2].empty()) return;
    const onnx::Tensor& bias = *model_.initializer(node.inputs[2]);
    const QuantizedBias integers = quantize_bias(bias.as<float>(), input_scale, quantized.scales);
    node.inputs[2] = append_constant<std::int32_t>(node.name + ".bias", onnx::ElementType::int32,
                                                   bias.shape, integers.values, integers.scales);
    if (integers.saturated_channels > 0)
      notices_.push_back(fmt::format("{}: {} biases are beyond int32 and were clamped", node.name,
                                     integers.saturated_channels));
  }

  /// A constant as integers behind a DequantizeLinear along axis 0, whose output it returns.
  template <class T>
  std::string append_constant(const std::string& name, onnx::ElementType type,
                              const std::vector<std::int64_t>& shape, const std::vector<T>& values,
                              const std::vector<float>& scales) {
    const std::vector<std::int64_t> channels{std::int64_t(scales.size())};
    const std::vector<T> zeros(scales.size(), T{0});
    onnx::Node& node =
        append("DequantizeLinear", name + ".dequantize",
               {constant<T>(name + ".quantized", type, shape, values),
                constant<float>(name + ".scale", onnx::ElementType::float32, channels, scales),
                constant<T>(name + ".zero_point", type, channels, zeros)},
               name);
    node.attributes["axis"] = std::int64_t{0};
    return name;
  }

  void note_weights(const onnx::Node& node, const QuantizedWeights& quantized) {
    const auto [low, high] = std::minmax_element(quantized.scales.begin(), quantized.scales.end());
    weight_report_[node.name] = {{"channels", quantized.scales.size()},
                                 {"smallest_scale", *low},
                                 {"largest_scale", *high},
                                 {"raised_channels", quantized.raised_channels}};
    if (quantized.raised_channels > 0)
      notices_.push_back(fmt::format(
          "{}: the weights of {} of {} channels are so small that their scale was raised to 1/{} "
          "of the layer's largest",
          node.name, quantized.raised_channels, quantized.scales.size(), max_scale_ratio));
  }

  const onnx::Model& model_;
  const Plan& plan_;
  const std::map<std::string, ActivationScale>& scales_;
  onnx::Model result_;
  Json weight_report_ = Json::object();
  Json notices_ = Json::array();
};

}  // namespace

Result<std::vector<std::string>> activations_to_observe(const onnx::Model& model) {
  ASSAY_TRY(Plan plan, Planner(model).run());
  return std::move(plan.observed);
}

Result<QuantizedModel> quantize_model(const onnx::Model& model, const Ranges& ranges) {
  ASSAY_TRY(const Plan plan, Planner(model).run());
  QuantizedModel quantized;
  std::map<std::string, ActivationScale> scales;
  for (const std::string& tensor : plan.observed) {
    const auto found = ranges.find(tensor);
    if (found == ranges.end())
      return fail(ErrorKind::bad_input, fmt::format("no range is known for tensor '{}'", tensor));
    const Range& range = found->second;
    const ActivationScale scale = activation_scale(range);
    scales[tensor] = scale;
    quantized.report["activations"][tensor] = {{"low", range.low},
                                               {"high", range.high},
                                               {"scale", scale.scale},
                                               {"zero_point", scale.zero_point}};
  }
  quantized.model = Rewriter(model, plan, scales).run(quantized.report);
  return quantized;
}

}  // namespace assay
