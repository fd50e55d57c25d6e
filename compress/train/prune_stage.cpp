// The prune stage: a trained network in, a sparse one out.
#include "compress/methods/shrink_filters.hpp"
#include "compress/train/learning.hpp"
#include "compress/train/pruner.hpp"
#include "compress/train/stages.hpp"

namespace assay {

Status run_work(const StageDescription& stage, const PruneStage& work,
                const StageContext& context) {
  ASSAY_TRY(const onnx::Model model, onnx::read_model(work.model));
  ASSAY_TRY(TrainableNetwork network, TrainableNetwork::create(model, work.model.string()));
  network.to_device(stage.device);  // the method makes tensors like its weights
  ASSAY_TRY(const auto pruner, Pruner::create(network, work.settings));
  Learner learner{network, {pruner.get()}};
  if (work.settings.magnitude.granularity == MagnitudePruning::Granularity::filter)
    learner.finish = [](const onnx::Model& pruned) -> Result<onnx::Model> {
      ASSAY_TRY(ShrunkModel shrunk, shrink_filters(pruned));
      return std::move(shrunk.model);
    };
  return learn(stage, work.learning, learner, context);
}

}  // namespace assay
