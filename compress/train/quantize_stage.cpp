// The quantize stage: a float network in, a quantized one out, trained for it or not.
#include "compress/methods/observer.hpp"
#include "compress/methods/quantize_model.hpp"
#include "compress/train/learning.hpp"
#include "compress/train/model_runner.hpp"
#include "compress/train/quantization_aware.hpp"
#include "compress/train/stages.hpp"

namespace assay {
namespace {

Status ignore_rows(int, int, std::span<const float>) {
  return {};
}

/// Ranges of the named activations over the calibration images.
Result<Ranges> observe(const LoadedModel& model, const std::vector<std::string>& tensors,
                       const ImageSet& images, const QuantizeSettings& settings,
                       const StageContext& context) {
  const int count = std::min(settings.samples, images.count);
  std::map<std::string, RangeObserver> observers;
  for (const std::string& tensor : tensors)
    observers.emplace(tensor, RangeObserver(settings.observer, settings.activation_bits()));
  const bool twice = RangeObserver(settings.observer).needs_second_pass();
  const double middle = twice ? 0.5 : 1.0;
  auto see = [&](const std::string& tensor, std::span<const float> values, int batch) {
    const auto found = observers.find(tensor);
    if (found != observers.end()) found->second.see(values, batch);
  };
  ASSAY_CHECK(run_model(model, images, count, context, "calibration", 0, middle, ignore_rows, see));
  auto see_again = [&](const std::string& tensor, std::span<const float> values, int) {
    const auto found = observers.find(tensor);
    if (found != observers.end()) found->second.see_again(values);
  };
  if (twice)
    ASSAY_CHECK(
        run_model(model, images, count, context, "calibration", middle, 1, ignore_rows, see_again));
  Ranges ranges;
  for (const auto& [tensor, observer] : observers)
    ranges[tensor] = observer.range();
  return ranges;
}

Status write_report(Json report, const QuantizeSettings& settings, const StageContext& context) {
  report.update(to_json(settings));
  return write_json(context.out / "quantization.json", report);
}

Result<Ranges> calibrate(const LoadedModel& model, const StageDescription& stage,
                         const QuantizeSettings& settings, const StageContext& context) {
  ASSAY_TRY(const auto tensors, activations_to_observe(model.model, settings));
  if (tensors.empty()) return Ranges{};
  ASSAY_TRY(const ImageSet images, load_split(stage.data, Split::calibration));
  return observe(model, tensors, images, settings, context);
}

/// Trains the quantized network and writes it with the scales it was trained with.
Status learn_quantized(const StageDescription& stage, const QuantizeStage& work,
                       const LoadedModel& model, const Ranges& ranges,
                       const StageContext& context) {
  ASSAY_TRY(TrainableNetwork network, TrainableNetwork::create(model.model, work.model.string()));
  network.to_device(stage.device);  // the method makes tensors like its weights
  ASSAY_TRY(const auto method, QuantizationAware::create(network, work.settings, ranges));
  Learner learner{network, {method.get()}};
  learner.finish = [&](const onnx::Model& trained, Json&) -> Result<onnx::Model> {
    ASSAY_TRY(QuantizedModel quantized,
              quantize_model(trained, {}, work.settings, method->scales()));
    ASSAY_CHECK(write_report(quantized.report, work.settings, context));
    return std::move(quantized.model);
  };
  return learn(stage, work.learning, learner, context);
}

}  // namespace

Status run_work(const StageDescription& stage, const QuantizeStage& work,
                const StageContext& context) {
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(const LoadedModel model, load_model(work.model, data));
  ASSAY_CHECK(check_quantization(model.model, work.settings));
  ASSAY_TRY(const Ranges ranges, calibrate(model, stage, work.settings, context));
  if (work.settings.training != QuantizationTraining::none)
    return learn_quantized(stage, work, model, ranges, context);
  ASSAY_TRY(const QuantizedModel quantized, quantize_model(model.model, ranges, work.settings));
  ASSAY_CHECK(onnx::write_model(quantized.model, context.out / "model.onnx"));
  return write_report(quantized.report, work.settings, context);
}

}  // namespace assay
