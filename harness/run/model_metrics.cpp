#include "harness/run/model_metrics.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compress/onnx/entropy_size.hpp"
#include "compress/onnx/model_counts.hpp"
#include "compress/onnx/packed_size.hpp"
#include "compress/onnx/weight_tensors.hpp"
#include "harness/core/file.hpp"
#include "harness/core/process.hpp"

namespace assay {
namespace {

Metric computed(double value, const char* unit) {
  return {value, unit, Provenance::computed, {}};
}

Metric counted(std::uint64_t value, const char* unit) {
  return {static_cast<double>(value), unit, Provenance::counted, {}};
}

/// What an evaluation.json says of one split: per cent correct of a classification, the mean error
/// of a regression. `suffix` tells which split, or which model, the figure is of.
void add_score(const Json& split, const std::string& suffix, Metrics& metrics) {
  if (split.contains("error_mean")) {
    metrics["error_mean" + suffix] = computed(split.at("error_mean"), "");
    return;
  }
  const double correct = split.at("correct").get<double>() / split.at("count").get<double>();
  metrics["accuracy_top1" + suffix] = computed(100 * correct, "%");
}

/// One figure a class, "accuracy_class_<name>".
void add_per_class(const Json& split, Metrics& metrics) {
  for (const Json& each : split.value("per_class", Json::array())) {
    const double count = each.at("count");
    if (count == 0) continue;
    metrics["accuracy_class_" + each.at("class").get<std::string>()] =
        computed(100 * each.at("correct").get<double>() / count, "%");
  }
}

Status add_scores(const CellArtifacts& artifacts, Metrics& metrics) {
  ASSAY_TRY(const auto evaluation, read_json_file(artifacts.evaluate / "evaluation.json"));
  add_score(evaluation.at("test"), "", metrics);
  add_per_class(evaluation.at("test"), metrics);
  add_score(evaluation.at("validation"), "_validation", metrics);
  if (artifacts.evaluate_float.empty()) return {};
  ASSAY_TRY(const auto in_float, read_json_file(artifacts.evaluate_float / "evaluation.json"));
  add_score(in_float.at("test"), "_float", metrics);
  return {};
}

Status add_file_sizes(const CellArtifacts& artifacts, std::optional<double> reference_bytes,
                      Metrics& metrics) {
  const auto bytes = std::filesystem::file_size(artifacts.model);
  metrics["model_bytes"] = counted(bytes, "B");
  ASSAY_TRY(const auto gzip, gzip_size(artifacts.model));
  metrics["model_gzip_bytes"] = counted(gzip.count(), "B");
  if (reference_bytes)
    metrics["compression_ratio"] = {
        *reference_bytes / static_cast<double>(bytes), "x", Provenance::counted, {}};
  return {};
}

/// More distinct values are no clusters: an index would be as long as a weight.
constexpr std::int64_t largest_codebook = 256;

/// What compression is in the weights themselves.
void add_weight_metrics(const onnx::Model& model, Metrics& metrics) {
  metrics["model_entropy_bytes"] = counted(onnx::entropy_size(model).bytes(), "B");
  metrics["weight_bytes"] = counted(onnx::packed_weight_bytes(model).bytes(), "B");
  metrics["parameters"] = counted(onnx::count_parameters(model), "");
  std::int64_t weights = 0;
  std::int64_t zeros = 0;
  std::int64_t distinct = 0;
  for (const auto& layer : onnx::weight_statistics(model)) {
    weights += layer.count;
    zeros += layer.zeros;
    distinct = std::max(distinct, layer.distinct);
  }
  if (weights == 0) return;
  metrics["zeros_pct"] = {100 * static_cast<double>(zeros) / static_cast<double>(weights),
                          "%",
                          Provenance::counted,
                          {}};
  if (distinct <= largest_codebook)
    metrics["clusters"] = counted(static_cast<std::uint64_t>(distinct), "");
}

Status add_training_time(const CellArtifacts& artifacts, Metrics& metrics) {
  double seconds = 0;
  for (const auto& stage : artifacts.learned) {
    ASSAY_TRY(const auto log, read_json_file(stage / "log.json"));
    seconds += log.at("cpu_seconds").get<double>();
  }
  if (!artifacts.learned.empty())
    metrics["train_seconds"] = {seconds, "s", Provenance::measured, {}};
  return {};
}

}  // namespace

Result<Metrics> model_metrics(const CellArtifacts& artifacts,
                              std::optional<double> reference_bytes) {
  Metrics metrics;
  ASSAY_TRY(const auto model, onnx::read_model(artifacts.model));
  ASSAY_CHECK(add_scores(artifacts, metrics));
  ASSAY_CHECK(add_file_sizes(artifacts, reference_bytes, metrics));
  add_weight_metrics(model, metrics);
  ASSAY_TRY(const auto macs, onnx::count_macs(model));
  metrics["macc"] = counted(macs.count(), "");
  ASSAY_CHECK(add_training_time(artifacts, metrics));
  return metrics;
}

Result<Bytes> gzip_size(const std::filesystem::path& path) {
  // Not zlib: it ends its blocks elsewhere, and so finds other sizes at every setting.
  ProcessSpec spec;
  ASSAY_TRY(spec.input, read_text(path));
  spec.arguments = {"gzip", "-9n"};
  spec.environment = {{"GZIP", ""}};  // options of the user's own
  ASSAY_TRY(const auto outcome, run_process(spec));
  if (outcome.exit_code != 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("gzip cannot compress {}: {}", path.string(), outcome.errors));
  return Bytes(outcome.output.size());
}

}  // namespace assay
