// The cluster stage: a trained network in, one whose layers have few different weights out.
#include "compress/onnx/fold_batch_norm.hpp"
#include "compress/train/clusterer.hpp"
#include "compress/train/learning.hpp"
#include "compress/train/stages.hpp"

namespace assay {

Status run_work(const StageDescription& stage, const ClusterStage& work,
                const StageContext& context) {
  ASSAY_TRY(const onnx::Model read, onnx::read_model(work.model));
  // Folding later would multiply the values that clustering made equal.
  ASSAY_TRY(const onnx::Model model, onnx::fold_batch_norm(read));
  ASSAY_TRY(TrainableNetwork network, TrainableNetwork::create(model, work.model.string()));
  network.to_device(stage.device);  // the method makes tensors like its weights
  ASSAY_TRY(const auto clusterer, Clusterer::create(network, work.settings, work.learning.seed));
  Learner learner{network, {clusterer.get()}};
  learner.finish = [&](const onnx::Model& trained, Json&) -> Result<onnx::Model> {
    onnx::Model clustered = trained;
    clusterer->mark(clustered);
    return clustered;
  };
  return learn(stage, work.learning, learner, context);
}

}  // namespace assay
