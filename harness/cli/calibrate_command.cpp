// assay calibrate: takes what a real board measured, beside what the model says of the same
// firmware, and fits the part's modelled cycles to it.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "harness/cli/command.hpp"
#include "harness/cli/project.hpp"
#include "harness/core/calibration.hpp"
#include "harness/core/part.hpp"
#include "reports/grouping.hpp"
#include "results/store.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  std::vector<std::string> results;
  bool show = false;
  std::string remove;
  bool json = false;
};

/// "elf_sha256" of what a record's firmware was; empty when it does not say.
std::string firmware_of(const Record& record) {
  return record.build.is_object() ? record.build.value("elf_sha256", "") : "";
}

/// The newest record of the same firmware at the same clock on a virtual board.
const Record* modelled_twin(const Record& measured, const std::vector<Record>& records) {
  const Record* newest = nullptr;
  const auto firmware = firmware_of(measured);
  for (const auto& record : records)
    if (record.virtual_board && record.verdict == Verdict::pass && !firmware.empty() &&
        firmware_of(record) == firmware && core_clock(record) == core_clock(measured) &&
        record.metrics.contains("cycles") && (!newest || record.recorded_at > newest->recorded_at))
      newest = &record;
  return newest;
}

/// A measured record of the store beside its modelled twin.
Result<MeasuredPoint> point_of(const Record& measured, const std::vector<Record>& records) {
  const Record* twin = modelled_twin(measured, records);
  if (!twin)
    return fail(ErrorKind::bad_input,
                fmt::format("{} on {} has no modelled record of the same firmware and clock beside "
                            "it: measure the same model on virtual:{} first",
                            measured.label, measured.board, measured.board_type));
  const Json::json_pointer place("/board/cycle_model");
  const Json model = twin->environment.value(place, Json::object());
  const double megahertz =
      static_cast<double>(core_clock(measured).value_or(Hertz(0)).count()) / 1e6;
  MeasuredPoint found;
  found.part = measured.part;
  found.cycle_model = model.value("version", "");
  found.point.name = fmt::format("{}@{:g}MHz", measured.label, megahertz);
  found.point.board = measured.board;
  found.point.date = measured.recorded_at.substr(0, 10);
  found.point.measured_cycles = measured.metrics.at("cycles").value;
  found.point.modelled_cycles =
      twin->metrics.at("cycles").value / model.value("calibration_factor", 1.0);
  return found;
}

bool is_named(const Record& record, const std::string& name) {
  constexpr std::size_t shortest_key = 8;
  return record.label == name ||
         (name.size() >= shortest_key && record.measurement_key.starts_with(name));
}

/// The points of stored records that a result names.
Result<std::vector<MeasuredPoint>> stored_points(const std::string& name,
                                                 const std::vector<Record>& records) {
  std::vector<Record> named;
  for (const auto& record : records)
    if (is_named(record, name) && !record.virtual_board && record.board_type != host_target &&
        record.verdict == Verdict::pass && record.metrics.contains("cycles"))
      named.push_back(record);
  if (named.empty())
    return fail(ErrorKind::bad_input,
                fmt::format("{} is no file, and neither the label nor the key of a record with "
                            "cycles measured on a real board",
                            name));
  std::vector<MeasuredPoint> points;
  for (const auto& record : newest_of_each_cell(std::move(named))) {
    ASSAY_TRY(auto point, point_of(record, records));
    points.push_back(std::move(point));
  }
  return points;
}

Result<std::vector<MeasuredPoint>> points_of(const Options& options) {
  std::vector<MeasuredPoint> points;
  std::optional<std::vector<Record>> records;
  for (const auto& name : options.results) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(name, ignored)) {
      ASSAY_TRY(const auto json, read_json_file(name));
      ASSAY_TRY(auto point, parse_measured_point(json, name));
      points.push_back(std::move(point));
      continue;
    }
    if (!records) {
      ASSAY_TRY(auto store, Store::open(options.project.store, Store::Mode::must_exist));
      ASSAY_TRY(records, store.query());
    }
    ASSAY_TRY(auto stored, stored_points(name, *records));
    std::ranges::move(stored, std::back_inserter(points));
  }
  return points;
}

Json calibration_json(const Calibration& calibration) {
  Json json = to_json(calibration);
  json["factor"] = calibration.factor();
  if (const auto band = calibration.band_pct()) json["band_pct"] = *band;
  json["evidence"] = calibration.evidence();
  for (std::size_t i = 0; i < calibration.points.size(); ++i)
    json["points"][i]["residual_pct"] = calibration.residual_pct(calibration.points[i]);
  return json;
}

void print(const Calibration& calibration) {
  const auto band = calibration.band_pct();
  fmt::print("{}: modelled cycles ({}) x {:.4f}, {}; {}\n", calibration.part,
             calibration.cycle_model, calibration.factor(),
             band ? fmt::format("± {:.3g} %", *band) : "one point says nothing of the scatter",
             calibration.evidence());
  fmt::print("  {:<32}  {:<16}  {:>14}  {:>14}  {:>8}\n", "point", "board", "measured", "modelled",
             "residual");
  for (const auto& point : calibration.points)
    fmt::print("  {:<32}  {:<16}  {:>14.0f}  {:>14.0f}  {:>+7.2f}%\n", point.name, point.board,
               point.measured_cycles, point.modelled_cycles, calibration.residual_pct(point));
}

/// The project's calibration of a part with the points added; a point of another version of the
/// model is refused.
Result<Calibrations> fitted(const Options& options, const std::vector<MeasuredPoint>& points) {
  Calibrations calibrations;
  for (const auto& found : points) {
    ASSAY_TRY(const auto part, load_part(found.part));
    if (found.cycle_model != part.core.cycle_model)
      return fail(
          ErrorKind::bad_input,
          fmt::format("{}: its cycles are of cycle model \"{}\", and {} has {} now: model "
                      "the same firmware again",
                      found.point.name, found.cycle_model, part.name, part.core.cycle_model));
    auto [place, fresh] = calibrations.try_emplace(part.name);
    if (fresh) {
      ASSAY_TRY(auto known, load_calibration(options.project.store, part));
      place->second = known.value_or(Calibration{part.name, part.core.cycle_model, {}});
    }
    place->second.add(found.point);
  }
  return calibrations;
}

Result<int> show(const Options& options) {
  Json list = Json::array();
  for (const auto& name : known_parts()) {
    ASSAY_TRY(const auto part, load_part(name));
    ASSAY_TRY(const auto calibration, load_calibration(options.project.store, part));
    if (!calibration) continue;
    list.push_back(calibration_json(*calibration));
    if (!options.json) print(*calibration);
  }
  if (options.json)
    fmt::print("{}\n", list.dump(2));
  else if (list.empty())
    fmt::print("no part is calibrated\n");
  return 0;
}

Result<int> remove(const Options& options) {
  ASSAY_TRY(const auto part, load_part(options.remove));
  const auto path = calibration_path(options.project.store, part.name);
  std::error_code problem;
  if (!std::filesystem::remove(path, problem))
    return fail(
        ErrorKind::bad_input,
        problem ? fmt::format("{} cannot be removed: {}", path.string(), problem.message())
                : fmt::format("{} is not calibrated: there is no {}", part.name, path.string()));
  fmt::print("{} removed\n", path.string());
  return 0;
}

Result<int> run(const Options& options) {
  if (options.show + !options.remove.empty() + !options.results.empty() != 1)
    return fail(ErrorKind::bad_input,
                "calibrate needs results, or --show, or --remove PART, one of the three");
  if (options.show) return show(options);
  if (!options.remove.empty()) return remove(options);
  ASSAY_TRY(const auto points, points_of(options));
  ASSAY_TRY(const auto calibrations, fitted(options, points));
  Json list = Json::array();
  for (const auto& [part, calibration] : calibrations) {
    ASSAY_CHECK(save_calibration(options.project.store, calibration));
    list.push_back(calibration_json(calibration));
    if (!options.json) print(calibration);
  }
  if (options.json) fmt::print("{}\n", list.dump(2));
  return 0;
}

}  // namespace

Action declare_calibrate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("results", options->results,
                 "Measured on real boards: labels or keys of stored records, or JSON files with "
                 "part, cycle_model, name, board, date, modelled_cycles and measured_cycles "
                 "(or latency_us and clock_hz)");
  app.add_flag("--show", options->show, "Print the calibrations of this project");
  app.add_option("--remove", options->remove, "Forget the calibration of this part");
  app.add_flag("--json", options->json, "Machine-readable");
  options->project.add_store(app);
  return [options] { return run(*options); };
}

}  // namespace assay::cli
