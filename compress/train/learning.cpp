#include "compress/train/learning.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "compress/onnx/model_counts.hpp"
#include "compress/train/torch_runtime.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

static_assert(std::endian::native == std::endian::little, "logits.bin is little-endian");

Result<std::vector<float>> read_teacher_logits(const std::filesystem::path& path, int images,
                                               int outputs) {
  ASSAY_TRY(const auto bytes, read_bytes(path));
  const std::size_t expected = std::size_t(images) * std::size_t(outputs) * sizeof(float);
  if (bytes.size() != expected)
    return fail(ErrorKind::bad_input,
                fmt::format("teacher logits {} hold {} bytes; {} images of {} outputs need {}",
                            path.string(), bytes.size(), images, outputs, expected));
  std::vector<float> logits(expected / sizeof(float));
  std::memcpy(logits.data(), bytes.data(), expected);
  return logits;
}

/// The teacher a training is described with; nothing without distillation.
Result<std::unique_ptr<Teacher>> make_teacher(const Learning& learning, const DatasetInfo& data,
                                              int images, const std::string& device) {
  if (!learning.teacher_logits.empty()) {
    std::vector<std::vector<float>> logits;
    for (const auto& path : learning.teacher_logits) {
      ASSAY_TRY(auto one, read_teacher_logits(path, images, data.outputs));
      logits.push_back(std::move(one));
    }
    return std::make_unique<CachedTeacher>(logits, data.outputs);
  }
  std::vector<TrainableNetwork> networks;
  for (const auto& path : learning.teacher_models) {
    ASSAY_TRY(const onnx::Model model, onnx::read_model(path));
    ASSAY_TRY(TrainableNetwork network, TrainableNetwork::create(model, path.string()));
    network.to_device(device);
    networks.push_back(std::move(network));
  }
  if (networks.empty()) return nullptr;
  return std::make_unique<NetworkTeacher>(std::move(networks));
}

Json report_of(const Learning& learning, const Learner& learner,
               const std::vector<EpochReport>& epochs) {
  Json json = {{"seed", learning.seed},
               {"train", to_json(learning.settings)},
               {"epochs", Json::array()},
               {"environment", torch_environment()}};
  if (learning.distill) json["distill"] = to_json(*learning.distill);
  if (learning.augment.any()) json["augment"] = to_json(learning.augment);
  for (const EpochReport& report : epochs)
    json["epochs"].push_back(to_json(report));
  for (TrainingMethod* method : learner.methods)
    json[method->name()] = method->report();
  return json;
}

}  // namespace

Status learn(const StageDescription& stage, const Learning& learning, const Learner& learner,
             const StageContext& context) {
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(const ImageSet train, load_split(stage.data, Split::train));
  ASSAY_TRY(const ImageSet validation, load_split(stage.data, Split::validation));
  ASSAY_TRY(const auto teacher, make_teacher(learning, data, train.count, stage.device));
  const Preprocessor preprocessor(data.normalization);
  std::optional<Augmenter> augmenter;
  if (learning.augment.any()) {
    ASSAY_TRY(augmenter, Augmenter::create(learning.augment, data, learning.seed));
  }
  learner.network.to_device(stage.device);
  Teacher* taught_by = learner.joint_teacher ? learner.joint_teacher : teacher.get();
  const TrainingTask task{.network = learner.network,
                          .methods = learner.methods,
                          .settings = learning.settings,
                          .distill = learning.distill,
                          .teacher = taught_by,
                          .train = train,
                          .validation = validation,
                          .preprocessor = preprocessor,
                          .seed = learning.seed,
                          .device = stage.device,
                          .checkpoints = context.checkpoints,
                          .identity = to_json(stage).dump(),
                          .augmenter = augmenter ? &*augmenter : nullptr,
                          .clock = &context.clock};
  ASSAY_TRY(const auto epochs, train_network(task, context.progress, context.stop));
  onnx::Model model = learner.network.model(learner.methods);
  Json report = report_of(learning, learner, epochs);
  if (learner.finish) {
    ASSAY_TRY(model, learner.finish(model, report));
  }
  report["parameters"] = onnx::count_parameters(model);
  ASSAY_CHECK(onnx::write_model(model, context.out / "model.onnx"));
  return write_json(context.out / "training.json", report);
}

}  // namespace assay
