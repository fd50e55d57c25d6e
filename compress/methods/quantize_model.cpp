#include "compress/methods/quantize_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "compress/methods/quantization_plan.hpp"

namespace assay {
namespace {

using ScaleMap = std::map<std::string, ActivationScale>;

// DequantizeLinear takes an axis from here on.
constexpr std::int64_t first_opset_with_axis = 13;

constexpr const char* microsoft = "com.microsoft";

/// A copy of the model without its nodes and constants.
onnx::Model empty_copy(const onnx::Model& model) {
  onnx::Model result = model;
  result.nodes.clear();
  result.initializers.clear();
  return result;
}

bool is_positive(float scale) {
  return std::isfinite(scale) && scale > 0;
}

Status check_given_weights(const LayerMap& layers, const GivenWeightScales& given) {
  for (const auto& [name, scales] : given) {
    ASSAY_CHECK(check_layer_name(layers, name, "a weight scale"));
    const LayerWeights& layer = layers.at(name);
    if (layer.integers)
      return fail(ErrorKind::bad_input,
                  fmt::format("scales are given for layer '{}', whose weights are integers with "
                              "scales of their own",
                              name));
    if (scales.size() != 1 && std::int64_t(scales.size()) != layer.shape[0])
      return fail(ErrorKind::bad_input,
                  fmt::format("layer '{}' has {} output channels, {} weight scales are given; give "
                              "one each or one in all",
                              name, layer.shape[0], scales.size()));
    for (float scale : scales)
      if (!is_positive(scale))
        return fail(ErrorKind::bad_input,
                    fmt::format("the weight scale {} given for layer '{}' is not a positive number",
                                scale, name));
  }
  return {};
}

/// Settings and scales that the scheme has no use for, or that make no sense in any.
Status check_scheme(const QuantizeSettings& settings, const GivenScales& given) {
  const auto refuse = [&](const char* what) {
    return fail(ErrorKind::bad_input,
                fmt::format("scheme {} has no use for {}", to_string(settings.scheme), what));
  };
  if (!settings.quantizes_weights()) {
    if (!given.weights.empty()) return refuse("given weight scales");
    if (settings.weight_bits != 8 || !settings.layer_bits.empty()) return refuse("weight bits");
  }
  if (!settings.quantizes_activations() && !given.activations.empty())
    return refuse("given activation scales");
  if (!is_weight_width(settings.weight_bits))
    return fail(ErrorKind::bad_input,
                fmt::format("weights have 8, 4 or 2 bits, not {}", settings.weight_bits));
  for (const auto& [name, bits] : settings.layer_bits)
    if (!is_weight_width(bits))
      return fail(ErrorKind::bad_input, fmt::format("the weights of layer '{}' can have 8, 4 or 2 "
                                                    "bits, not {}",
                                                    name, bits));
  return {};
}

/// Names and numbers from outside, against the layers of the model.
Status check_names(const onnx::Model& model, const LayerMap& layers,
                   const QuantizeSettings& settings, const GivenScales& given) {
  for (const auto& [name, bits] : settings.layer_bits)
    ASSAY_CHECK(check_layer_name(layers, name, "layer_bits"));
  if (settings.quantizes_weights() && model.opset < first_opset_with_axis)
    return fail(ErrorKind::bad_input,
                fmt::format("the model has opset {}; integer weights need {} or later: export it "
                            "again",
                            model.opset, first_opset_with_axis));
  return check_given_weights(layers, given.weights);
}

/// A model whose activations are integers.
class IntegerRewriter {
 public:
  IntegerRewriter(const onnx::Model& model, const LayerMap& layers, const QuantizationPlan& plan,
                  const ScaleMap& scales, const QuantizeSettings& settings,
                  const GivenScales& given)
      : model_(model),
        layers_(layers),
        plan_(plan),
        scales_(scales),
        domain_(settings.activation_bits() == 8 ? "" : microsoft),
        result_(empty_copy(model)),
        constants_(settings, given.weights, result_) {}

  Result<onnx::Model> run(Json& report) {
    const std::string& input = model_.inputs[0].name;
    append_pair(input, input, input + ".dequantized");
    for (std::size_t i = 0; i < model_.nodes.size(); ++i)
      ASSAY_CHECK(rewrite(model_.nodes[i], plan_.steps[i]));
    report["weights"] = std::move(constants_.report);
    report["notices"] = std::move(constants_.notices);
    return std::move(result_);
  }

 private:
  const ActivationScale& scale_of(const std::string& tensor) const {
    return scales_.at(plan_.scale_from.at(tensor));
  }

  Status rewrite(onnx::Node node, const Step& step) {
    if (step.role == Role::constant) return {};
    if (step.role == Role::weighted)
      ASSAY_CHECK(constants_.write(node, layers_.at(node.name), scale_of(node.inputs[0]).scale));
    else
      for (std::size_t i = step.activations; i < node.inputs.size(); ++i)
        keep_constant(node.inputs[i]);
    for (std::size_t i = 0; i < step.activations; ++i)
      if (node.inputs[i] == model_.inputs[0].name) node.inputs[i] += ".dequantized";
    if (step.role == Role::activation) node.inputs[0] += ".raw";
    const std::string output = node.outputs[0];
    node.outputs[0] = output + ".raw";
    result_.nodes.push_back(std::move(node));
    if (!plan_.fused.contains(output)) append_pair(output, output + ".raw", output);
    return {};
  }

  void keep_constant(const std::string& name) {
    if (const onnx::Tensor* constant = model_.initializer(name))
      result_.initializers[name] = *constant;
  }

  std::string add_zero_point(const std::string& name, const ActivationScale& scale) {
    if (scale.bits == 8)
      return add_constant<std::int8_t>(result_, name, onnx::ElementType::int8, {},
                                       {&scale.zero_point, 1});
    const std::int16_t zero = 0;
    return add_constant<std::int16_t>(result_, name, onnx::ElementType::int16, {}, {&zero, 1});
  }

  /// QuantizeLinear and DequantizeLinear of the activation `tensor`, from `before` to `after`.
  void append_pair(const std::string& tensor, const std::string& before, const std::string& after) {
    const ActivationScale& scale = scale_of(tensor);
    const std::string scale_name = add_constant<float>(
        result_, tensor + ".scale", onnx::ElementType::float32, {}, {&scale.scale, 1});
    const std::string zero_name = add_zero_point(tensor + ".zero_point", scale);
    const std::string quantized = tensor + ".quantized";
    append_node(result_, "QuantizeLinear", tensor + ".quantize", {before, scale_name, zero_name},
                quantized, domain_);
    append_node(result_, "DequantizeLinear", tensor + ".dequantize",
                {quantized, scale_name, zero_name}, after, domain_);
  }

  const onnx::Model& model_;
  const LayerMap& layers_;
  const QuantizationPlan& plan_;
  const ScaleMap& scales_;
  const std::string domain_;
  onnx::Model result_;
  ConstantWriter constants_;
};

Result<ActivationScale> given_scale(const std::string& tensor, ActivationScale scale, int bits) {
  if (!is_positive(scale.scale) || (bits == 16 && scale.zero_point != 0))
    return fail(ErrorKind::bad_input,
                fmt::format("tensor '{}' is given the scale {} and the zero point {}; a scale is "
                            "above 0, and the zero point of int16 is 0",
                            tensor, scale.scale, scale.zero_point));
  scale.bits = bits;
  return scale;
}

/// The scale of every tensor that has one of its own.
Result<ScaleMap> settle_scales(const QuantizationPlan& plan, const Ranges& ranges,
                               const ScaleMap& given, int bits, Json& report) {
  ScaleMap scales;
  for (const auto& [tensor, scale] : given)
    if (!std::ranges::binary_search(plan.observed, tensor))
      return fail(ErrorKind::bad_input,
                  fmt::format("a scale is given for '{}', which is no observed tensor", tensor));
  for (const std::string& tensor : plan.observed) {
    Json& entry = report[tensor];
    if (const auto found = given.find(tensor); found != given.end()) {
      ASSAY_TRY(scales[tensor], given_scale(tensor, found->second, bits));
    } else if (const auto range = ranges.find(tensor); range != ranges.end()) {
      scales[tensor] = activation_scale(range->second, bits);
      entry["low"] = range->second.low;
      entry["high"] = range->second.high;
    } else {
      return fail(ErrorKind::bad_input, fmt::format("no range is known for tensor '{}'", tensor));
    }
    entry["scale"] = scales[tensor].scale;
    entry["zero_point"] = scales[tensor].zero_point;
  }
  for (const std::string& tensor : plan.unit)
    scales[tensor] = unit_scale(bits);
  return scales;
}

Result<QuantizedModel> rewrite_integers(const onnx::Model& model, const LayerMap& layers,
                                        const Ranges& ranges, const QuantizeSettings& settings,
                                        const GivenScales& given) {
  ASSAY_TRY(const QuantizationPlan plan, plan_quantization(model));
  QuantizedModel quantized;
  ASSAY_TRY(const ScaleMap scales,
            settle_scales(plan, ranges, given.activations, settings.activation_bits(),
                          quantized.report["activations"]));
  IntegerRewriter rewriter(model, layers, plan, scales, settings, given);
  ASSAY_TRY(quantized.model, rewriter.run(quantized.report));
  return quantized;
}

/// Copies the constants that the nodes of `result` still read. Errors: bad_input when a node that
/// is no layer reads the weights of one.
Status keep_read_constants(const onnx::Model& model, const LayerMap& layers, onnx::Model& result) {
  std::set<std::string> made;
  for (const onnx::ValueInfo& input : model.inputs)
    made.insert(input.name);
  for (const onnx::Node& node : result.nodes)
    made.insert(node.outputs.begin(), node.outputs.end());
  for (const onnx::Node& node : result.nodes) {
    for (const std::string& input : node.inputs) {
      const onnx::Tensor* constant = model.initializer(input);
      if (input.empty() || result.initializer(input)) continue;
      if (made.contains(input) && (!constant || layers.contains(node.name))) continue;
      if (made.contains(input) || !constant)
        return refuse_node(node, fmt::format("it reads '{}', the weights of a layer", input));
      result.initializers[input] = *constant;
    }
  }
  return {};
}

/// A model whose weights change their form and whose operators stay float.
Result<QuantizedModel> rewrite_weights(const onnx::Model& model, const LayerMap& layers,
                                       const QuantizeSettings& settings, const GivenScales& given) {
  QuantizedModel quantized{empty_copy(model), {{"activations", Json::object()}}};
  ConstantWriter constants(settings, given.weights, quantized.model);
  for (onnx::Node node : model.nodes) {
    if (node.op_type == "MatMul")
      return refuse_node(node, "its weights have no quantized form here; write it as Gemm");
    if (dequantizes_weights(model, node)) continue;
    if (const auto layer = layers.find(node.name); layer != layers.end())
      ASSAY_CHECK(constants.write(node, layer->second, std::nullopt));
    quantized.model.nodes.push_back(std::move(node));
  }
  ASSAY_CHECK(keep_read_constants(model, layers, quantized.model));
  quantized.report["weights"] = std::move(constants.report);
  quantized.report["notices"] = std::move(constants.notices);
  return quantized;
}

}  // namespace

Result<std::vector<std::string>> activations_to_observe(const onnx::Model& model,
                                                        const QuantizeSettings& settings) {
  if (!settings.quantizes_activations()) return std::vector<std::string>();
  ASSAY_CHECK(read_layer_weights(model));
  ASSAY_TRY(QuantizationPlan plan, plan_quantization(model));
  return std::move(plan.observed);
}

Status check_quantization(const onnx::Model& model, const QuantizeSettings& settings) {
  ASSAY_TRY(const auto tensors, activations_to_observe(model, settings));
  Ranges any;
  for (const std::string& tensor : tensors)
    any[tensor] = {0, 1};
  QuantizeSettings quick = settings;  // no error depends on how scales are found
  quick.weight_observer = WeightObserver::min_max;
  ASSAY_CHECK(quantize_model(model, any, quick));
  return {};
}

Result<QuantizedModel> quantize_model(const onnx::Model& model, const Ranges& ranges,
                                      const QuantizeSettings& settings, const GivenScales& given) {
  ASSAY_CHECK(check_scheme(settings, given));
  if (settings.scheme == Scheme::none)
    return QuantizedModel{
        model,
        {{"activations", Json::object()}, {"weights", Json::object()}, {"notices", Json::array()}}};
  ASSAY_TRY(const LayerMap layers, read_layer_weights(model));
  ASSAY_CHECK(check_names(model, layers, settings, given));
  return settings.quantizes_activations() ? rewrite_integers(model, layers, ranges, settings, given)
                                          : rewrite_weights(model, layers, settings, given);
}

}  // namespace assay
