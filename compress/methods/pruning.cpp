#include "compress/methods/pruning.hpp"

#include <fmt/format.h>

namespace assay {

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

}  // namespace assay
