// What a pruning is asked to do: when, how much, what and where. Pure functions, thread-safe.
#pragma once

#include "compress/methods/layer_policy.hpp"
#include "compress/methods/magnitude_pruning.hpp"
#include "compress/methods/pruning_schedule.hpp"

namespace assay {

struct PruneSettings {
  PruningSchedule schedule;
  MagnitudePruning magnitude;
  LayerPolicy layers;
};

Json to_json(const PruneSettings& settings);
/// The fields of the three parts stand side by side. With N:M groups the sparsity follows from them
/// and is not given. Problems go to the object's JsonErrors.
PruneSettings read_prune_settings(JsonObject& object);

/// Whether N:M groups take any weight of a layer: one with fewer input channels has none.
bool has_groups(const MagnitudePruning& magnitude, std::span<const std::int64_t> shape);

/// Whether the settings prune anything of a network of this structure, asked before it is trained.
/// Errors: bad_input as select_layers, and when none of the chosen layers can lose whole filters,
/// or has input channels enough for N:M groups.
Status check_pruning(const onnx::Model& model, const PruneSettings& settings);

}  // namespace assay
