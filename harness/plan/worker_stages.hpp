// What a configuration asks of the worker, stage by stage. Pure functions, thread-safe.
#pragma once

#include "compress/train/stage_description.hpp"
#include "harness/plan/config.hpp"

namespace assay {

/// The works of a configuration without the paths of their inputs. Errors: bad_input naming the
/// configuration and the field: single values were checked when the matrix was read, what they are
/// together is found here (a schedule that ends before it begins, images that fill no batch).
Result<TrainStage> train_work(const Config& config);
/// Only for a configuration that prunes, or clusters.
Result<PruneStage> prune_work(const Config& config);
Result<ClusterStage> cluster_work(const Config& config);
Result<QuantizeStage> quantize_work(const Config& config);

/// The worker's orders as a stage's settings: everything but paths, which are known when it runs.
Json worker_settings(const Config& config, decltype(StageDescription::work) work);

}  // namespace assay
