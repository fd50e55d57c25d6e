#include "harness/run/publish.hpp"

#include <optional>
#include <set>

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
#include "harness/core/file.hpp"
#include "harness/run/measurement.hpp"
#include "harness/run/result_sums.hpp"
#include "harness/run/run_matrix.hpp"
#include "harness/run/selection.hpp"
#include "reports/grouping.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

bool needs_link(const fs::path& target, const fs::path& link) {
  std::error_code code;
  return fs::exists(target, code) && fs::read_symlink(link, code) != target;
}

Status replace_link(const fs::path& target, const fs::path& link) {
  std::error_code code;
  fs::remove(link, code);
  fs::create_directories(link.parent_path(), code);
  fs::create_symlink(target, link, code);
  if (code)
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot link {}: {}", link.string(), code.message()));
  return {};
}

}  // namespace

Status write_reports(const ReportInput& input, const fs::path& folder) {
  for (const auto& format : report_formats()) {
    const auto path = folder / format.file_name;
    const std::string text = format.render(input);
    // A warm run changes nothing on disk.
    if (const auto old = read_text(path); old && *old == text) continue;
    ASSAY_CHECK(write_atomically(path, text));
  }
  return {};
}

Status note_report(const ReportInput& report, Store& store) {
  std::vector<std::string> keys;
  for (const auto& record : report.records)
    keys.push_back(record.measurement_key);
  return store.note_run(report.title, keys, report.context);
}

Result<ReportInput> stored_report(const std::string& matrix, Store& store) {
  Filter filter;
  filter.matrix = matrix;
  ASSAY_TRY(auto records, store.query(filter));
  if (records.empty())
    return fail(ErrorKind::bad_input,
                fmt::format("{} has no records of a matrix named \"{}\"; assay results lists what "
                            "there is",
                            store.path().string(), matrix));
  ReportInput input;
  input.title = matrix;
  input.records = without_superseded_hosts(newest_of_each_cell(std::move(records)));
  ASSAY_TRY(input.context, store.run_context(matrix));
  // Nothing is known of a run before runs were noted.
  if (input.context.is_null())
    input.context = {{"matrix", matrix}, {"command", fmt::format("assay report {}", matrix)}};
  return input;
}

Result<std::set<std::string>> link_artifacts(const Plan& plan, const StageCache& cache,
                                             const fs::path& folder) {
  std::set<std::string> damaged;
  for (const auto& cell : plan.cells) {
    const auto artifacts = artifacts_of(plan, cell, StageCache(fs::absolute(cache.root())));
    const auto place = folder / cell.label;
    std::vector<std::pair<fs::path, const char*>> links{
        {artifacts.model, "model.onnx"},
        {artifacts.float_model.parent_path() / "training.json", "training.json"}};
    if (cell.placement)
      for (const char* name : {"firmware.elf", "firmware.map"})
        links.emplace_back(artifacts.firmware / name, name);
    for (const auto& [target, name] : links) {
      if (!needs_link(target, place / name)) continue;
      if (const auto whole = check_sums(target.parent_path()); !whole)
        damaged.insert(whole.error().message);
      else
        ASSAY_CHECK(replace_link(target, place / name));
    }
  }
  return damaged;
}

namespace {

/// Per cent the teacher gets right on the test images, when the plan has exactly one teacher.
std::optional<double> teacher_accuracy(const Plan& plan, const StageCache& cache) {
  std::set<std::size_t> evaluations;
  for (const auto& config : plan.configs)
    if (config.teacher_evaluate_float) evaluations.insert(*config.teacher_evaluate_float);
  if (evaluations.size() != 1) return std::nullopt;
  const Stage& stage = plan.stages[*evaluations.begin()];
  const auto json = read_json_file(cache.path(stage) / "evaluation.json");
  if (!json || !cache.check(stage)) return std::nullopt;
  const auto& test = json->at("test");
  if (!test.contains("accuracy_top1")) return std::nullopt;  // a teacher of numbers, not of classes
  return 100 * test.at("accuracy_top1").get<double>();
}

}  // namespace

ReportInput report_of(const Plan& plan, const StageCache& cache, std::vector<Record> records,
                      const std::string& command) {
  ReportInput input;
  input.title = plan.matrix.name;
  input.records = std::move(records);
  input.context = {{"matrix", plan.matrix.name}, {"command", command}};
  if (Json selection = selection_context(plan); !selection.is_null())
    input.context["selections"] = Json::array({std::move(selection)});
  if (Json comparison = comparison_context(plan); !comparison.is_null())
    input.context["comparison"] = std::move(comparison);
  if (const auto accuracy = teacher_accuracy(plan, cache))
    input.context["teacher_accuracy"] = *accuracy;
  if (!plan.expansion.configs.empty()) {
    const auto name = plan.expansion.configs.front().at("data").get<std::string>();
    if (const auto data = find_dataset(name)) input.context["data_set"] = data->title;
  }
  return input;
}

}  // namespace assay
