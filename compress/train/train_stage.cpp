// The train stage: a new or an imported network, data and settings in, model.onnx and training.json
// out.
#include "compress/models/initial_network.hpp"
#include "compress/train/learning.hpp"
#include "compress/train/quant_noise.hpp"
#include "compress/train/stages.hpp"
#include "compress/train/transfer.hpp"

namespace assay {
namespace {

Result<TrainableNetwork> new_network(const ModelChoice& choice, const DatasetInfo& data,
                                     std::uint64_t seed) {
  ASSAY_TRY(const ModelSpec spec,
            build_model(choice, data.channels, data.height, data.width, data.outputs));
  ASSAY_TRY(const onnx::Model model,
            initial_network(spec, seed, {std::string(data.name), data.normalization}));
  return TrainableNetwork::create(model, spec.name);
}

Result<TrainableNetwork> first_network(const TrainStage& work, const DatasetInfo& data) {
  if (const auto* start = std::get_if<TransferStart>(&work.start)) {
    ASSAY_TRY(const onnx::Model model, onnx::read_model(start->model));
    return transfer(model, *start, data, work.learning.seed);
  }
  return new_network(std::get<ModelChoice>(work.start), data, work.learning.seed);
}

}  // namespace

Status run_work(const StageDescription& stage, const TrainStage& work,
                const StageContext& context) {
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(TrainableNetwork network, first_network(work, data));
  std::unique_ptr<QuantNoise> noise;
  std::vector<TrainingMethod*> methods;
  if (work.noise) {
    ASSAY_TRY(noise, QuantNoise::create(network, *work.noise, work.learning.seed));
    methods.push_back(noise.get());
  }
  if (!work.joint_teacher) return learn(stage, work.learning, {network, methods}, context);
  ASSAY_TRY(TrainableNetwork teacher_network,
            new_network(work.joint_teacher->model, data, work.joint_teacher->seed));
  teacher_network.to_device(stage.device);
  JointTeacher teacher(std::move(teacher_network));
  ASSAY_CHECK(learn(stage, work.learning, {network, methods, &teacher}, context));
  return onnx::write_model(teacher.network().model(), context.out / "teacher.onnx");
}

}  // namespace assay
