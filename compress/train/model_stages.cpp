// The stages that only run a model: logits, evaluate.
#include <fmt/format.h>

#include <algorithm>

#include "compress/data/score.hpp"
#include "compress/train/model_runner.hpp"
#include "compress/train/stages.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

/// The score of a whole split.
Result<Json> evaluate(const LoadedModel& model, const StageDescription& stage, Split split,
                      const StageContext& context, double from, double to) {
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(const ImageSet images, load_split(stage.data, split));
  Score score(images, data.class_names);
  auto add = [&](int first, int count, std::span<const float> rows) {
    return score.add(first, count, rows);
  };
  ASSAY_CHECK(run_model(model, images, images.count, context, std::string(to_string(split)), from,
                        to, add));
  return score.json();
}

}  // namespace

Status run_work(const StageDescription& stage, const LogitsStage& work,
                const StageContext& context) {
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(const LoadedModel model, load_model(work.model, data));
  ASSAY_TRY(const ImageSet images, load_split(stage.data, Split::train));
  std::vector<float> logits;
  auto keep = [&](int, int count, std::span<const float> rows) -> Status {
    if (rows.size() != std::size_t(count) * std::size_t(data.outputs))
      return fail(ErrorKind::bad_input,
                  fmt::format("{} has {} outputs an image; {} needs {}", work.model.string(),
                              rows.size() / std::size_t(count), data.name, data.outputs));
    logits.insert(logits.end(), rows.begin(), rows.end());
    return {};
  };
  ASSAY_CHECK(run_model(model, images, images.count, context, "teacher logits", 0, 1, keep));
  ASSAY_CHECK(write_atomically(context.out / "logits.bin", std::as_bytes(std::span(logits))));
  return write_json(context.out / "logits.json", {{"data", stage.data},
                                                  {"split", to_string(Split::train)},
                                                  {"images", images.count},
                                                  {"outputs", data.outputs},
                                                  {"element", "float32, little-endian"}});
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
