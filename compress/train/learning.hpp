// What all stages that train do alike: bring data, teacher and network together, train, write the
// network and its log. Include only where Torch is wanted.
#pragma once

#include "compress/train/stages.hpp"
#include "compress/train/trainer.hpp"

namespace assay {

/// What is trained.
struct Learner {
  TrainableNetwork& network;
  std::vector<TrainingMethod*> methods;
  JointTeacher* joint_teacher = nullptr;
  /// What becomes of the trained model before it is written; nothing when absent. May add to the
  /// report, which has the sections of all methods.
  std::function<Result<onnx::Model>(const onnx::Model&, Json& report)> finish = {};
};

/// Trains by `learning` and writes model.onnx and training.json. Errors: as train_network; teacher
/// logits of another size, data or models that cannot be read.
Status learn(const StageDescription& stage, const Learning& learning, const Learner& learner,
             const StageContext& context);

}  // namespace assay
