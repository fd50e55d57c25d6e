// The train stage: data, teacher logits and settings in, model.onnx and training.json out.
#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "compress/data/dataset.hpp"
#include "compress/train/export.hpp"
#include "compress/train/stages.hpp"
#include "compress/train/torch_runtime.hpp"
#include "compress/train/trainer.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

static_assert(std::endian::native == std::endian::little, "logits.bin is little-endian");

Result<std::vector<float>> read_teacher_logits(const std::filesystem::path& path, int images,
                                               int classes) {
  ASSAY_TRY(const auto bytes, read_bytes(path));
  const std::size_t expected = std::size_t(images) * std::size_t(classes) * sizeof(float);
  if (bytes.size() != expected)
    return fail(ErrorKind::bad_input,
                fmt::format("teacher logits {} hold {} bytes; {} images of {} classes need {}",
                            path.string(), bytes.size(), images, classes, expected));
  std::vector<float> logits(expected / sizeof(float));
  std::memcpy(logits.data(), bytes.data(), expected);
  return logits;
}

Json epoch_json(const EpochReport& report) {
  Json json = {{"learning_rate", report.learning_rate},
               {"loss", report.loss},
               {"cross_entropy", report.cross_entropy},
               {"validation_accuracy", report.validation_accuracy}};
  if (report.divergence) json["divergence"] = *report.divergence;
  return json;
}

Json report_of(const ModelSpec& spec, const TrainStage& work, const TrainedNetwork& trained,
               std::uint64_t parameters) {
  Json epochs = Json::array();
  for (const EpochReport& report : trained.epochs)
    epochs.push_back(epoch_json(report));
  Json json = {{"model", spec.name}, {"parameters", parameters},
               {"seed", work.seed},  {"train", to_json(work.settings)},
               {"epochs", epochs},   {"environment", torch_environment()}};
  if (work.distill) json["distill"] = to_json(*work.distill);
  return json;
}

}  // namespace

Status run_work(const StageDescription& stage, const TrainStage& work,
                const StageContext& context) {
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(const ModelSpec spec,
            build_model(work.model, data.channels, data.height, data.width, data.classes));
  ASSAY_TRY(const std::uint64_t parameters, count_parameters(spec));
  ASSAY_TRY(const ImageSet train, load_split(stage.data, Split::train));
  ASSAY_TRY(const ImageSet validation, load_split(stage.data, Split::validation));
  std::vector<float> teacher_logits;
  if (work.distill) {
    ASSAY_TRY(teacher_logits, read_teacher_logits(work.teacher_logits, train.count, data.classes));
  }
  const Preprocessor preprocessor(data.normalization);
  const TrainingTask task{spec,       work.settings, work.distill,   train,
                          validation, preprocessor,  teacher_logits, work.seed};
  ASSAY_TRY(const TrainedNetwork trained, train_network(task, context.progress, context.stop));
  const onnx::Model model =
      export_float(spec, trained.layers, {std::string(data.name), data.normalization});
  ASSAY_CHECK(onnx::write_model(model, context.out / "model.onnx"));
  return write_json(context.out / "training.json", report_of(spec, work, trained, parameters));
}

}  // namespace assay
