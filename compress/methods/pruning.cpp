#include "compress/methods/pruning.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compress/methods/shrink_filters.hpp"

namespace assay {
namespace {

/// bad_input unless one of the chosen layers can lose whole filters.
Status check_filters(const onnx::Model& model, std::span<const WeightedLayer> layers,
                     std::span<const std::size_t> selected) {
  ASSAY_TRY(const auto filter_layers, prunable_filters(model));
  std::string kept;
  for (const std::size_t index : selected) {
    const auto found = std::ranges::find(filter_layers, layers[index].name, &FilterLayer::name);
    if (found == filter_layers.end() || (!found->kept_because && !found->channels_of)) return {};
    if (!kept.empty()) continue;
    kept = fmt::format(
        "'{}' because {}", found->name,
        found->kept_because.value_or("it has the channels of '" + found->channels_of.value_or("") +
                                     "', which is not chosen"));
  }
  return fail(ErrorKind::bad_input, "none of the chosen layers can lose whole filters, " + kept);
}

/// bad_input when N:M groups take no weight of any of the chosen layers.
Status check_groups(const MagnitudePruning& magnitude, std::span<const WeightedLayer> layers,
                    std::span<const std::size_t> selected) {
  for (const std::size_t index : selected)
    if (has_groups(magnitude, layers[index].shape)) return {};
  const WeightedLayer& first = layers[selected[0]];
  return fail(ErrorKind::bad_input,
              fmt::format("groups of {}:{} consecutive input channels prune nothing of the chosen "
                          "layers, '{}' has {} a group; choose others",
                          magnitude.zeros, magnitude.group, first.name, first.shape[1]));
}

}  // namespace

Json to_json(const PruneSettings& settings) {
  Json json = to_json(settings.schedule);
  json.update(to_json(settings.magnitude));
  json.update(to_json(settings.layers));
  return json;
}

PruneSettings read_prune_settings(JsonObject& object) {
  PruneSettings settings;
  settings.magnitude = read_magnitude_pruning(object);
  settings.layers = read_layer_policy(object);
  const auto fixed = fixed_sparsity(settings.magnitude);
  settings.schedule = read_pruning_schedule(object, fixed.value_or(settings.schedule.sparsity));
  if (!fixed) return settings;
  if (settings.schedule.sparsity != *fixed)
    object.problem("sparsity", fmt::format("{}:{} groups have a sparsity of {}, found {}",
                                           settings.magnitude.zeros, settings.magnitude.group,
                                           *fixed, settings.schedule.sparsity));
  settings.schedule.sparsity = *fixed;
  return settings;
}

bool has_groups(const MagnitudePruning& magnitude, std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape)
    count *= extent;
  const std::vector<float> alike(std::size_t(count), 1.0F);
  const PrunableLayer layer{"", {shape.begin(), shape.end()}, alike};
  const auto masks = magnitude_masks({&layer, 1}, magnitude, *fixed_sparsity(magnitude));
  return masks && (*masks)[0].zeros() > 0;
}

Status check_pruning(const onnx::Model& model, const PruneSettings& settings) {
  ASSAY_TRY(const auto layers, weighted_layers(model));
  ASSAY_TRY(const auto selected, select_layers(layers, settings.layers));
  if (settings.magnitude.granularity == MagnitudePruning::Granularity::filter)
    return check_filters(model, layers, selected);
  if (settings.magnitude.granularity == MagnitudePruning::Granularity::n_of_m)
    return check_groups(settings.magnitude, layers, selected);
  return {};
}

}  // namespace assay
