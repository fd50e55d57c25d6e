#include "harness/core/calibration_file.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "harness/core/file.hpp"
#include "harness/core/file_lock.hpp"

namespace assay {
namespace {

double positive(JsonObject& object, const std::string& key) {
  const double value = object.required<double>(key);
  if (!(value > 0) || !std::isfinite(value))
    object.problem(key, fmt::format("expected a number above 0, found {}", value));
  return value;
}

/// "2026-01-31", and a day that there is.
bool is_day(const std::string& text) {
  int year = 0;
  unsigned month = 0, day = 0;
  constexpr std::size_t length = 10;
  return text.size() == length && text.find_first_not_of("0123456789-") == std::string::npos &&
         std::sscanf(text.c_str(), "%4d-%2u-%2u", &year, &month, &day) == 3 &&
         fmt::format("{:04}-{:02}-{:02}", year, month, day) == text &&
         (std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)).ok();
}

bool is_sha256(const std::string& text) {
  constexpr std::size_t digits = 64;
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The fields that a stored point and a measured one share.
CalibrationPoint read_common(JsonObject& object) {
  CalibrationPoint point;
  point.network = object.required<std::string>("network");
  point.elf_sha256 = object.required<std::string>("elf_sha256");
  if (!is_sha256(point.elf_sha256))
    object.problem("elf_sha256", "expected the firmware's SHA-256 in 64 hex digits, found \"" +
                                     point.elf_sha256 + "\"");
  point.clock = Hertz(object.required<std::uint64_t>("clock_hz"));
  if (point.clock == Hertz(0)) object.problem("clock_hz", "expected hertz above 0");
  point.board = object.required<std::string>("board");
  point.date = object.required<std::string>("date");
  if (!is_day(point.date))
    object.problem("date", "expected a day as 2026-01-31, found \"" + point.date + "\"");
  point.modelled_cycles = positive(object, "modelled_cycles");
  return point;
}

tl::unexpected<Error> with_way_out(const std::string& problem, const Part& part) {
  return fail(ErrorKind::bad_input,
              fmt::format("{}; mend it, or remove it with assay calibrate --remove {}", problem,
                          part.name));
}

}  // namespace

std::filesystem::path calibration_path(const std::filesystem::path& store,
                                       const std::string& part) {
  return store.parent_path() / "calibration" / (part + ".json");
}

Json to_json(const Calibration& calibration) {
  Json points = Json::array();
  for (const auto& point : calibration.points)
    points.push_back({{"network", point.network},
                      {"elf_sha256", point.elf_sha256},
                      {"clock_hz", point.clock.count()},
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
      calibration.add(std::move(point));
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
  auto parsed = parse_calibration(json, path.string());
  if (!parsed) return with_way_out(parsed.error().message, part);
  Calibration& calibration = *parsed;
  if (calibration.part != part.name)
    return fail(ErrorKind::bad_input, fmt::format("{} is a calibration of {}, not of {}",
                                                  path.string(), calibration.part, part.name));
  if (calibration.cycle_model != part.core.cycle_model)
    return fail(ErrorKind::bad_input,
                fmt::format("{} was made for cycle model {}, and {} has {} now: model its points "
                            "again, or remove it with assay calibrate --remove {}",
                            path.string(), calibration.cycle_model, part.name,
                            part.core.cycle_model, part.name));
  for (const auto& point : calibration.points)
    if (const auto plausible = check_point(part, point); !plausible)
      return with_way_out(fmt::format("{}: {}", path.string(), plausible.error().message), part);
  return calibration;
}

Result<Calibration> add_to_calibration(const std::filesystem::path& store, const Part& part,
                                       const std::vector<CalibrationPoint>& points) {
  for (const auto& point : points)
    ASSAY_CHECK(check_point(part, point));
  const auto path = calibration_path(store, part.name);
  ASSAY_TRY(const auto lock, FileLock::acquire(path.parent_path() / (part.name + ".lock")));
  ASSAY_TRY(auto known, load_calibration(store, part));
  Calibration calibration = known.value_or(Calibration{part.name, part.core.cycle_model, {}});
  for (const auto& point : points)
    calibration.add(point);
  ASSAY_CHECK(write_atomically(path, to_json(calibration).dump(2) + "\n"));
  return calibration;
}

Result<MeasuredPoint> parse_measured_point(const Json& json, const std::string& source) {
  MeasuredPoint found;
  JsonErrors errors(source);
  {
    JsonObject object(json, "", errors);
    found.part = object.required<std::string>("part");
    found.cycle_model = object.required<std::string>("cycle_model");
    found.point = read_common(object);
    if (object.has("measured_cycles") == object.has("latency_us"))
      object.problem("", "needs measured_cycles or latency_us, one of the two");
    else if (object.has("measured_cycles"))
      found.point.measured_cycles = positive(object, "measured_cycles");
    else
      found.point.measured_cycles =
          positive(object, "latency_us") * static_cast<double>(found.point.clock.count()) / 1e6;
    if (errors.failed())
      for (const char* key : {"measured_cycles", "latency_us"})
        object.raw(key);
  }
  ASSAY_CHECK(errors.status());
  return found;
}

}  // namespace assay
