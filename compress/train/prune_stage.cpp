// The prune stage: a trained network in, a sparse one out.
#include "compress/methods/shrink_filters.hpp"
#include "compress/train/learning.hpp"
#include "compress/train/pruner.hpp"
#include "compress/train/stages.hpp"

namespace assay {
namespace {

Result<onnx::Model> remove_filters(const onnx::Model& pruned, Json& report) {
  ASSAY_TRY(ShrunkModel shrunk, shrink_filters(pruned));
  Json& filters = report["prune"]["filters"] = Json::object();
  for (const ShrunkLayer& layer : shrunk.layers)
    filters[layer.name] = {{"before", layer.before}, {"after", layer.after}};
  return std::move(shrunk.model);
}

}  // namespace

Status run_work(const StageDescription& stage, const PruneStage& work,
                const StageContext& context) {
  ASSAY_TRY(const onnx::Model model, onnx::read_model(work.model));
  ASSAY_CHECK(check_pruning(model, work.settings));
  ASSAY_TRY(TrainableNetwork network, TrainableNetwork::create(model, work.model.string()));
  network.to_device(stage.device);  // the method makes tensors like its weights
  ASSAY_TRY(const auto pruner, Pruner::create(network, work.settings));
  Learner learner{network, {pruner.get()}};
  if (work.settings.magnitude.granularity == MagnitudePruning::Granularity::filter)
    learner.finish = remove_filters;
  return learn(stage, work.learning, learner, context);
}

}  // namespace assay
