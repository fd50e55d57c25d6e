#include "compress/methods/shrink_filters.hpp"

#include <map>

#include "compress/methods/channel_groups.hpp"

namespace assay {
namespace {

bool makes_filters(const onnx::Node& node) {
  return node.domain.empty() && (node.op_type == "Conv" || node.op_type == "Gemm");
}

/// The channels of a group that stay, ascending.
std::vector<std::int64_t> channels_to_keep(const ChannelGroup& group) {
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < group.channels; ++i)
    if (group.kept_because || group.needed[std::size_t(i)]) kept.push_back(i);
  if (kept.empty() && group.channels > 0) kept.push_back(0);
  return kept;
}

/// `tensor` with only the entries of the channels `kept` along `axis`.
onnx::Tensor selected(const onnx::Tensor& tensor, const ChannelAxis& axis,
                      const std::vector<std::int64_t>& kept) {
  std::size_t inner = onnx::size_of(tensor.type) * std::size_t(axis.width);
  for (std::size_t i = axis.axis + 1; i < tensor.shape.size(); ++i)
    inner *= std::size_t(tensor.shape[i]);
  const std::size_t row = inner * std::size_t(tensor.shape[axis.axis] / axis.width);
  onnx::Tensor result = tensor;
  result.shape[axis.axis] = std::int64_t(kept.size()) * axis.width;
  result.data.clear();
  for (std::size_t start = 0; start < tensor.data.size(); start += row)
    for (const std::int64_t channel : kept) {
      const auto from = tensor.data.begin() + std::ptrdiff_t(start + std::size_t(channel) * inner);
      result.data.insert(result.data.end(), from, from + std::ptrdiff_t(inner));
    }
  return result;
}

void shrink(onnx::Model& model, const ChannelGroup& group, const std::vector<std::int64_t>& kept) {
  for (const ChannelAxis& axis : group.constants) {
    onnx::Tensor& tensor = model.initializers.at(axis.tensor);
    tensor = selected(tensor, axis, kept);
  }
  for (const std::size_t node : group.depthwise)
    model.nodes[node].attributes["group"] = std::int64_t(kept.size());
}

}  // namespace

Result<std::vector<FilterLayer>> prunable_filters(const onnx::Model& model) {
  ASSAY_TRY(const ChannelPlan plan, plan_channels(model));
  std::vector<FilterLayer> layers;
  std::map<std::size_t, std::string> makers;  // of each group
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (!makes_filters(model.nodes[i])) continue;
    FilterLayer layer{model.nodes[i].name, "its weights are not laid out as filters", {}, {}};
    if (const auto index = plan.group_of_node[i]) {
      const ChannelGroup& group = plan.groups[*index];
      layer.kept_because = group.kept_because;
      const auto [maker, is_first] = makers.emplace(*index, layer.name);
      if (!is_first) layer.channels_of = maker->second;
      for (const ChannelAxis& constant : group.constants)
        if (constant.axis == 0) layer.constants.push_back(constant.tensor);
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

Result<ShrunkModel> shrink_filters(const onnx::Model& model) {
  ASSAY_TRY(const ChannelPlan plan, plan_channels(model));
  ShrunkModel shrunk{model, {}};
  std::vector<std::int64_t> left;  // channels of each group
  for (const ChannelGroup& group : plan.groups) {
    const auto kept = channels_to_keep(group);
    left.push_back(std::int64_t(kept.size()));
    if (left.back() < group.channels) shrink(shrunk.model, group, kept);
  }
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (!plan.group_of_node[i]) continue;
    const std::size_t group = *plan.group_of_node[i];
    if (left[group] < plan.groups[group].channels)
      shrunk.layers.push_back({model.nodes[i].name, plan.groups[group].channels, left[group]});
  }
  return shrunk;
}

}  // namespace assay
