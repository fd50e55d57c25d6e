#include "harness/core/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/core/file.hpp"

namespace assay {
namespace {

double positive(JsonObject& object, const std::string& key) {
  const double value = object.required<double>(key);
  if (!(value > 0)) object.problem(key, fmt::format("expected a number above 0, found {}", value));
  return value;
}

/// The fields that a stored point and a measured one share.
CalibrationPoint read_common(JsonObject& object) {
  CalibrationPoint point;
  point.name = object.required<std::string>("name");
  point.board = object.required<std::string>("board");
  point.date = object.required<std::string>("date");
  point.modelled_cycles = positive(object, "modelled_cycles");
  return point;
}

}  // namespace

double Calibration::factor() const {
  double products = 0, squares = 0;
  for (const auto& point : points) {
    products += point.measured_cycles * point.modelled_cycles;
    squares += point.modelled_cycles * point.modelled_cycles;
  }
  return products / squares;
}

double Calibration::residual_pct(const CalibrationPoint& point) const {
  return 100 * (factor() * point.modelled_cycles / point.measured_cycles - 1);
}

std::optional<double> Calibration::band_pct() const {
  if (points.size() < 2) return std::nullopt;
  constexpr double least = 1;
  double largest = least, squares = 0;
  for (const auto& point : points) {
    const double residual = residual_pct(point);
    largest = std::max(largest, std::abs(residual));
    squares += residual * residual;
  }
  return std::max(largest, 2 * std::sqrt(squares / static_cast<double>(points.size() - 1)));
}

std::string Calibration::evidence() const {
  std::set<std::string> boards;
  std::string newest;
  for (const auto& point : points) {
    boards.insert(point.board);
    newest = std::max(newest, point.date);
  }
  return fmt::format("calibrated on {} point{} of {}, {}", points.size(),
                     points.size() == 1 ? "" : "s", fmt::join(boards, ", "), newest);
}

void Calibration::add(CalibrationPoint point) {
  const auto same = std::ranges::find(points, point.name, &CalibrationPoint::name);
  if (same == points.end())
    points.push_back(std::move(point));
  else
    *same = std::move(point);
}

std::filesystem::path calibration_path(const std::filesystem::path& store,
                                       const std::string& part) {
  return store.parent_path() / "calibration" / (part + ".json");
}

Json to_json(const Calibration& calibration) {
  Json points = Json::array();
  for (const auto& point : calibration.points)
    points.push_back({{"name", point.name},
                      {"board", point.board},
                      {"date", point.date},
                      {"measured_cycles", point.measured_cycles},
                      {"modelled_cycles", point.modelled_cycles}});
  return {{"part", calibration.part}, {"cycle_model", calibration.cycle_model}, {"points", points}};
}

Result<Calibration> parse_calibration(const Json& json, const std::string& source) {
  Calibration calibration;
  JsonErrors errors(source);
  {
    JsonObject object(json, "", errors);
    calibration.part = object.required<std::string>("part");
    calibration.cycle_model = object.required<std::string>("cycle_model");
    object.for_each_object("points", [&](JsonObject& inner) {
      CalibrationPoint point = read_common(inner);
      point.measured_cycles = positive(inner, "measured_cycles");
      calibration.points.push_back(std::move(point));
    });
    if (calibration.points.empty()) object.problem("points", "expected one point at least");
  }
  ASSAY_CHECK(errors.status());
  return calibration;
}

Result<std::optional<Calibration>> load_calibration(const std::filesystem::path& store,
                                                    const Part& part) {
  const auto path = calibration_path(store, part.name);
  std::error_code unreadable;
  if (!std::filesystem::exists(path, unreadable) && !unreadable) return std::nullopt;
  ASSAY_TRY(const auto json, read_json_file(path));
  ASSAY_TRY(auto calibration, parse_calibration(json, path.string()));
  if (calibration.part != part.name)
    return fail(ErrorKind::bad_input, fmt::format("{} is a calibration of {}, not of {}",
                                                  path.string(), calibration.part, part.name));
  if (calibration.cycle_model != part.core.cycle_model)
    return fail(ErrorKind::bad_input,
                fmt::format("{} was made for cycle model {}, and {} has {} now: model its points "
                            "again, or remove it with assay calibrate --remove {}",
                            path.string(), calibration.cycle_model, part.name,
                            part.core.cycle_model, part.name));
  return calibration;
}

Status save_calibration(const std::filesystem::path& store, const Calibration& calibration) {
  const auto path = calibration_path(store, calibration.part);
  std::error_code problem;
  std::filesystem::create_directories(path.parent_path(), problem);
  if (problem)
    return fail(
        ErrorKind::infrastructure,
        fmt::format("{} cannot be made: {}", path.parent_path().string(), problem.message()));
  return write_atomically(path, to_json(calibration).dump(2) + "\n");
}

Result<MeasuredPoint> parse_measured_point(const Json& json, const std::string& source) {
  MeasuredPoint found;
  JsonErrors errors(source);
  {
    JsonObject object(json, "", errors);
    found.part = object.required<std::string>("part");
    found.cycle_model = object.required<std::string>("cycle_model");
    found.point = read_common(object);
    if (object.has("measured_cycles") == object.has("latency_us")) {
      object.problem("", "needs measured_cycles, or latency_us and clock_hz, one of the two");
    } else if (object.has("measured_cycles")) {
      found.point.measured_cycles = positive(object, "measured_cycles");
      object.raw("clock_hz");
    } else {
      const double microseconds = positive(object, "latency_us");
      found.point.measured_cycles = microseconds * positive(object, "clock_hz") / 1e6;
    }
    if (errors.failed())
      for (const char* key : {"measured_cycles", "latency_us", "clock_hz"})
        object.raw(key);
  }
  ASSAY_CHECK(errors.status());
  return found;
}

}  // namespace assay
