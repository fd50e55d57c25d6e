// The stages that start from a model: logits, quantize, evaluate.
#include <fmt/format.h>

#include <algorithm>

#include "compress/methods/observer.hpp"
#include "compress/methods/quantize_model.hpp"
#include "compress/train/model_runner.hpp"
#include "compress/train/stages.hpp"
#include "harness/core/file.hpp"

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
    observers.emplace(tensor, RangeObserver(settings.observer));
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

/// {"count", "correct", "accuracy_top1"} over a whole split; of equal logits the first one wins.
Result<Json> evaluate(const LoadedModel& model, const StageDescription& stage, Split split,
                      const StageContext& context, double from, double to) {
  ASSAY_TRY(const ImageSet images, load_split(stage.data, split));
  int correct = 0;
  auto count_correct = [&](int first, int count, std::span<const float> rows) -> Status {
    const std::size_t classes = rows.size() / std::size_t(count);
    for (int i = 0; i < count; ++i) {
      const auto row = rows.subspan(std::size_t(i) * classes, classes);
      const auto best = std::max_element(row.begin(), row.end()) - row.begin();
      correct += best == images.labels[std::size_t(first + i)];
    }
    return {};
  };
  ASSAY_CHECK(run_model(model, images, images.count, context, std::string(to_string(split)), from,
                        to, count_correct));
  return Json{{"count", images.count},
              {"correct", correct},
              {"accuracy_top1", double(correct) / images.count}};
}

}  // namespace

Status run_work(const StageDescription& stage, const LogitsStage& work,
                const StageContext& context) {
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(const LoadedModel model, load_model(work.model, data));
  ASSAY_TRY(const ImageSet images, load_split(stage.data, Split::train));
  std::vector<float> logits;
  auto keep = [&](int, int count, std::span<const float> rows) -> Status {
    if (rows.size() != std::size_t(count) * std::size_t(data.classes))
      return fail(ErrorKind::bad_input,
                  fmt::format("{} has {} outputs an image; {} has {} classes", work.model.string(),
                              rows.size() / std::size_t(count), data.name, data.classes));
    logits.insert(logits.end(), rows.begin(), rows.end());
    return {};
  };
  ASSAY_CHECK(run_model(model, images, images.count, context, "teacher logits", 0, 1, keep));
  ASSAY_CHECK(write_atomically(context.out / "logits.bin", std::as_bytes(std::span(logits))));
  return write_json(context.out / "logits.json", {{"data", stage.data},
                                                  {"split", to_string(Split::train)},
                                                  {"images", images.count},
                                                  {"classes", data.classes},
                                                  {"element", "float32, little-endian"}});
}

Status run_work(const StageDescription& stage, const QuantizeStage& work,
                const StageContext& context) {
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(const LoadedModel model, load_model(work.model, data));
  ASSAY_TRY(const auto tensors, activations_to_observe(model.model));
  ASSAY_TRY(const ImageSet images, load_split(stage.data, Split::calibration));
  ASSAY_TRY(const Ranges ranges, observe(model, tensors, images, work.settings, context));
  ASSAY_TRY(QuantizedModel quantized, quantize_model(model.model, ranges));
  quantized.report.update(to_json(work.settings));
  ASSAY_CHECK(onnx::write_model(quantized.model, context.out / "model.onnx"));
  return write_json(context.out / "quantization.json", quantized.report);
}

Status run_work(const StageDescription& stage, const EvaluateStage& work,
                const StageContext& context) {
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(const LoadedModel model, load_model(work.model, data));
  Json accuracies;
  ASSAY_TRY(accuracies["validation"],
            evaluate(model, stage, Split::validation, context, 0, 1.0 / 3));
  ASSAY_TRY(accuracies["test"], evaluate(model, stage, Split::test, context, 1.0 / 3, 1));
  return write_json(context.out / "evaluation.json", accuracies);
}

}  // namespace assay
