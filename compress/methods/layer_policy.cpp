#include "compress/methods/layer_policy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "compress/methods/settings.hpp"

namespace assay {
namespace {

using Op = WeightedLayer::Op;
using Rule = LayerPolicy::Rule;

constexpr Words<Rule, 5> rules{{
    {Rule::all, "all"},
    {Rule::conv, "conv"},
    {Rule::dense, "dense"},
    {Rule::last, "last"},
    {Rule::latency, "latency"},
}};

constexpr std::int64_t block_channels = 4;
constexpr std::int64_t least_weights = 256;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

Status check_names(std::span<const WeightedLayer> layers, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const WeightedLayer& layer : layers)
    known.push_back(layer.name);
  for (const std::string& name : names)
    if (!contains(known, name))
      return fail(ErrorKind::bad_input,
                  fmt::format("the model has no layer '{}' with weights, it has {}", name,
                              known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  return {};
}

bool is_last(std::span<const WeightedLayer> layers, std::size_t index) {
  return std::ranges::all_of(layers.subspan(index + 1), &WeightedLayer::is_normalization);
}

bool is_touched(std::span<const WeightedLayer> layers, std::size_t index,
                const LayerPolicy& policy) {
  const WeightedLayer& layer = layers[index];
  if (contains(policy.except, layer.name)) return false;
  if (layer.is_normalization() && policy.rule != Rule::named) return false;
  switch (policy.rule) {
    case Rule::all:
      return true;
    case Rule::conv:
      return layer.op == Op::conv;
    case Rule::dense:
      return layer.op == Op::dense;
    case Rule::last:
      return is_last(layers, index);
    case Rule::latency:
      return !why_not_faster(layer);
    case Rule::named:
      return contains(policy.names, layer.name);
  }
  return false;
}

/// "latency", but not conv1, dense
std::string text_of(const LayerPolicy& policy) {
  std::string text = policy.rule == Rule::named
                         ? fmt::format("{}", fmt::join(policy.names, ", "))
                         : fmt::format("\"{}\"", word_of(rules, policy.rule));
  if (!policy.except.empty()) text += fmt::format(" but not {}", fmt::join(policy.except, ", "));
  return text;
}

}  // namespace

std::int64_t WeightedLayer::weight_count() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape)
    count *= extent;
  return count;
}

Result<std::vector<WeightedLayer>> weighted_layers(const onnx::Model& model) {
  std::vector<WeightedLayer> layers;
  std::set<std::string> names;
  std::set<std::string> seen;
  for (const onnx::Node& node : model.nodes) {
    const bool is_conv = node.op_type == "Conv";
    if (!node.domain.empty() || (!is_conv && node.op_type != "Gemm") || node.inputs.size() < 2)
      continue;
    const auto refuse = [&](const std::string& why) {
      return fail(ErrorKind::bad_input,
                  fmt::format("cannot compress node '{}' ({}): {}", node.name, node.op_type, why));
    };
    const onnx::Tensor* weights = model.initializer(node.inputs[1]);
    if (!weights || weights->type != onnx::ElementType::float32) continue;
    if (!seen.insert(node.inputs[1]).second) continue;
    if (!names.insert(node.name).second) return refuse("another node has the same name");
    if (weights->shape.size() < 2) return refuse("its weights have no input channels");
    if (!is_conv && (node.integer("transB", 0) != 1 || node.integer("transA", 0) != 0))
      return refuse("only transB = 1 and transA = 0 are supported");
    layers.push_back({node.name, node.inputs[1], is_conv ? Op::conv : Op::dense, weights->shape,
                      is_conv ? node.integer("group", 1) : 1});
  }
  return layers;
}

Json to_json(const LayerPolicy& policy) {
  Json json = {{"except", policy.except}};
  if (policy.rule == Rule::named)
    json["layers"] = policy.names;
  else
    json["layers"] = word_of(rules, policy.rule);
  return json;
}

LayerPolicy read_layer_policy(JsonObject& object) {
  LayerPolicy policy;
  if (object.raw("layers").is_array()) {
    policy.rule = Rule::named;
    policy.names = object.list<std::string>("layers");
    if (policy.names.empty()) object.problem("layers", "expected at least one name, found none");
  } else {
    policy.rule = read_word(object, "layers", rules, policy.rule);
  }
  policy.except = object.list<std::string>("except");
  return policy;
}

std::optional<std::string> why_not_faster(const WeightedLayer& layer) {
  if (layer.is_depthwise()) return "a depthwise filter has one input channel";
  if (layer.shape[1] % block_channels != 0)
    return fmt::format("its {} input channels are not a multiple of {}", layer.shape[1],
                       block_channels);
  if (layer.weight_count() < least_weights)
    return fmt::format("it has {} weights, fewer than {}", layer.weight_count(), least_weights);
  return std::nullopt;
}

Result<std::vector<std::size_t>> select_layers(std::span<const WeightedLayer> layers,
                                               const LayerPolicy& policy) {
  if (policy.rule == Rule::named) ASSAY_CHECK(check_names(layers, policy.names));
  ASSAY_CHECK(check_names(layers, policy.except));
  std::vector<std::size_t> selected;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (is_touched(layers, i, policy)) selected.push_back(i);
  if (selected.empty())
    return fail(
        ErrorKind::bad_input,
        fmt::format("the choice of layers, {}, selects none of the model's {} layers with weights",
                    text_of(policy), layers.size()));
  return selected;
}

}  // namespace assay
