// assay calibrate: takes what a real board measured, beside what the model says of the same
// firmware, and fits the part's modelled cycles to it.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

#include "harness/cli/command.hpp"
#include "harness/cli/project.hpp"
#include "harness/core/calibration_file.hpp"
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
  MeasuredPoint found;
  found.part = measured.part;
  found.cycle_model = model.value("version", "");
  found.point.network = measured.label;
  found.point.elf_sha256 = firmware_of(measured);
  found.point.clock = core_clock(measured).value_or(Hertz(0));
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

/// The points of a calibration, apart by the conditions they ran under.
std::vector<Calibration> fits_of(const Part& part, const Calibration& calibration) {
  std::vector<Calibration> fits;
  for (const auto& point : calibration.points) {
    const auto fitted = [&](const Calibration& fit) {
      return std::ranges::find(fit.points, point) != fit.points.end();
    };
    if (std::ranges::none_of(fits, fitted)) fits.push_back(calibration.at(part, point.clock));
  }
  return fits;
}

/// As it is stored, with "fits": of each condition what was fitted, and how far its points are off.
Json calibration_json(const Part& part, const Calibration& calibration) {
  Json json = to_json(calibration);
  json["fits"] = Json::array();
  for (const auto& fit : fits_of(part, calibration)) {
    Json fitted{{"factor", fit.factor()},
                {"networks", fit.networks().size()},
                {"evidence", fit.evidence()},
                {"points", to_json(fit).at("points")}};
    if (const auto band = fit.band_pct()) fitted["band_pct"] = *band;
    for (std::size_t i = 0; i < fit.points.size(); ++i)
      fitted["points"][i]["residual_pct"] = fit.residual_pct(fit.points[i]);
    json["fits"].push_back(std::move(fitted));
  }
  return json;
}

void print(const Part& part, const Calibration& calibration) {
  for (const auto& fit : fits_of(part, calibration)) {
    const auto band = fit.band_pct();
    fmt::print("{}: modelled cycles ({}) x {:.4f}, {}; {}\n", fit.part, fit.cycle_model,
               fit.factor(),
               band ? fmt::format("± {:.3g} %", *band) : "one network says nothing of others",
               fit.evidence());
    fmt::print("  {:<32}  {:>7}  {:<8}  {:<16}  {:>14}  {:>14}  {:>8}\n", "network", "MHz",
               "firmware", "board", "measured", "modelled", "residual");
    for (const auto& point : fit.points)
      fmt::print("  {:<32}  {:>7g}  {:<8.8}  {:<16}  {:>14.0f}  {:>14.0f}  {:>+7.2f}%\n",
                 point.network, static_cast<double>(point.clock.count()) / 1e6, point.elf_sha256,
                 point.board, point.measured_cycles, point.modelled_cycles,
                 fit.residual_pct(point));
  }
}

/// What was measured, by part; every point is checked before any is kept. Errors: bad_input for a
/// point of another version of the model; those of check_point.
Result<std::map<std::string, std::vector<CalibrationPoint>>> points_by_part(
    const std::vector<MeasuredPoint>& points) {
  std::map<std::string, std::vector<CalibrationPoint>> by_part;
  for (const auto& found : points) {
    ASSAY_TRY(const auto part, load_part(found.part));
    ASSAY_CHECK(check_point(part, found.point));
    if (found.cycle_model != part.core.cycle_model)
      return fail(
          ErrorKind::bad_input,
          fmt::format("{}: its cycles are of cycle model \"{}\", and {} has {} now: model "
                      "the same firmware again",
                      found.point.network, found.cycle_model, part.name, part.core.cycle_model));
    by_part[part.name].push_back(found.point);
  }
  return by_part;
}

Result<int> show(const Options& options) {
  Json list = Json::array();
  for (const auto& name : known_parts()) {
    ASSAY_TRY(const auto part, load_part(name));
    ASSAY_TRY(const auto calibration, load_calibration(options.project.store, part));
    if (!calibration) continue;
    list.push_back(calibration_json(part, *calibration));
    if (!options.json) print(part, *calibration);
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
  ASSAY_TRY(const auto by_part, points_by_part(points));
  Json list = Json::array();
  for (const auto& [name, measured] : by_part) {
    ASSAY_TRY(const auto part, load_part(name));
    ASSAY_TRY(const auto calibration, add_to_calibration(options.project.store, part, measured));
    list.push_back(calibration_json(part, calibration));
    if (!options.json) print(part, calibration);
  }
  if (options.json) fmt::print("{}\n", list.dump(2));
  return 0;
}

}  // namespace

Action declare_calibrate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("results", options->results,
                 "Measured on real boards: labels or keys of stored records, or JSON files with "
                 "part, cycle_model, network, elf_sha256, clock_hz, board, date, modelled_cycles "
                 "and measured_cycles (or latency_us)");
  app.add_flag("--show", options->show, "Print the calibrations of this project");
  app.add_option("--remove", options->remove, "Forget the calibration of this part");
  app.add_flag("--json", options->json, "Machine-readable");
  options->project.add_store(app);
  return [options] { return run(*options); };
}

}  // namespace assay::cli
