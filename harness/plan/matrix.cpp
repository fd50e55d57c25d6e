#include "harness/plan/matrix.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "harness/plan/expansion.hpp"
#include "harness/plan/field.hpp"
#include "targets/build/board_source.hpp"

namespace assay {
namespace {

constexpr std::size_t longest_name = 100;

constexpr std::string_view validation_criterion = "accuracy_top1@validation";
constexpr std::string_view test_criterion = "accuracy_top1@test";

/// Reads the sections of one matrix file; problems collect in `errors`.
class MatrixReader {
 public:
  explicit MatrixReader(JsonErrors& errors) : errors_(errors) {}

  Matrix read(const Json& json) {
    JsonObject object(json, "", errors_);
    object.optional<std::string>("$schema", "");
    matrix_.name = object.required<std::string>("name");
    check_name(object);
    matrix_.base = read_values(object.raw("base"), "base");
    read_variants(object.raw("variants"));
    read_sweep(object.raw("sweep"));
    read_exclude(object.raw("exclude"));
    read_baselines(object);
    if (object.has("compare")) read_comparison(object);
    if (object.has("deploy")) read_deploy(object);
    return std::move(matrix_);
  }

 private:
  void read_baselines(JsonObject& object) {
    matrix_.baselines = object.list<std::string>("baselines");
    const auto known = known_baselines();
    for (const auto& word : matrix_.baselines)
      if (std::ranges::count(known, word) == 0)
        object.problem("baselines", fmt::format("expected one of {}, found \"{}\"",
                                                fmt::join(known, ", "), word));
  }

  void read_comparison(JsonObject& object) {
    JsonObject compare = object.object("compare");
    Comparison comparison;
    comparison.to = compare.required<std::string>("to");
    if (std::ranges::count(matrix_.baselines, comparison.to) == 0)
      compare.problem("to", fmt::format("\"{}\" is not among baselines", comparison.to));
    comparison.within_pp = compare.optional("within_pp", comparison.within_pp);
    if (comparison.within_pp < 0 || comparison.within_pp > 100)
      compare.problem("within_pp", "expected 0 to 100 percentage points");
    matrix_.comparison = std::move(comparison);
  }

  void check_name(JsonObject& object) {
    const auto safe = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
    if (matrix_.name.empty() || !std::ranges::all_of(matrix_.name, safe))
      object.problem("name", "expected letters, digits, - and _, which also name the folder");
    if (matrix_.name.size() > longest_name)
      object.problem("name", fmt::format("expected at most {} characters, which also name the "
                                         "folder, found {}",
                                         longest_name, matrix_.name.size()));
  }

  /// Checks one value against the field table.
  std::optional<Json> value_of(const std::string& field_path, const Json& value,
                               const std::string& where) {
    const Field* field = find_field(field_path);
    if (!field) {
      errors_.add(where, "unknown field");
      return std::nullopt;
    }
    auto normal = normalize_value(*field, value);
    if (normal) return *normal;
    errors_.add(where, normal.error().message);
    return std::nullopt;
  }

  /// Nested or dotted field values.
  FieldValues read_values(const Json& json, const std::string& where) {
    FieldValues values;
    if (json.is_null()) return values;
    if (!json.is_object()) {
      errors_.add(where, "expected an object, found " + describe(json));
      return values;
    }
    collect(json, "", where, values);
    return values;
  }

  void collect(const Json& json, const std::string& prefix, const std::string& where,
               FieldValues& values) {
    for (auto it = json.begin(); it != json.end(); ++it) {
      const std::string path = prefix + it.key();
      const std::string place = where + "." + it.key();
      if (it->is_object() && !find_field(path)) {
        collect(*it, path + ".", place, values);
        if (it->empty()) errors_.add(place, "is empty");
      } else if (auto value = value_of(path, *it, place)) {
        if (!values.emplace(path, *value).second) errors_.add(place, "is given twice");
      }
    }
  }

  void read_variants(const Json& json) {
    if (json.is_null()) return;
    if (!json.is_array() || json.empty())
      return errors_.add("variants", "expected a list of objects, found " + describe(json));
    for (std::size_t i = 0; i < json.size(); ++i) {
      const std::string where = fmt::format("variants[{}]", i);
      if (!json[i].is_object())
        return errors_.add(where, "expected an object of fields, found " + describe(json[i]));
      matrix_.variants.push_back(read_values(json[i], where));
    }
  }

  void read_sweep(const Json& json) {
    if (json.is_null()) return;
    if (!json.is_object())
      return errors_.add("sweep", "expected an object of dotted fields, found " + describe(json));
    for (auto it = json.begin(); it != json.end(); ++it) {
      const std::string where = fmt::format("sweep[\"{}\"]", it.key());
      SweepAxis axis{it.key(), {}};
      if (!find_field(axis.path)) return errors_.add(where, "unknown field");
      const auto listed = axis_values(*it, where);
      for (std::size_t i = 0; i < listed.size(); ++i)
        if (auto value = value_of(axis.path, listed[i], fmt::format("{}[{}]", where, i)))
          axis.values.push_back(*value);
      if (matrix_.base.contains(axis.path)) errors_.add(where, "is also given in base; keep one");
      for (std::size_t i = 0; i < matrix_.variants.size(); ++i)
        if (matrix_.variants[i].contains(axis.path))
          errors_.add(where, fmt::format("is also given in variants[{}]; keep one", i));
      matrix_.sweep.push_back(std::move(axis));
    }
  }

  std::vector<Json> axis_values(const Json& json, const std::string& where) {
    if (json.is_array()) {
      if (json.empty()) errors_.add(where, "the list is empty: give at least one value");
      return {json.begin(), json.end()};
    }
    if (!json.is_object()) {
      errors_.add(where,
                  "expected a list or {\"from\", \"to\", \"step\"}, found " + describe(json));
      return {};
    }
    JsonObject range(json, where, errors_);
    const double from = range.required<double>("from");
    const double to = range.required<double>("to");
    const double step = range.required<double>("step");
    if (errors_.failed()) return {};
    auto values = expand_range(from, to, step);
    if (values) return *values;
    errors_.add(where, values.error().message);
    return {};
  }

  void read_exclude(const Json& json) {
    if (json.is_null()) return;
    if (!json.is_array()) return errors_.add("exclude", "expected a list, found " + describe(json));
    for (std::size_t i = 0; i < json.size(); ++i) {
      const std::string where = fmt::format("exclude[{}]", i);
      FieldValues entry;
      if (!json[i].is_object() || json[i].empty())
        return errors_.add(where, "expected an object of fields, found " + describe(json[i]));
      collect(json[i], "", where, entry);
      matrix_.exclude.push_back(std::move(entry));
    }
  }

  void read_deploy(JsonObject& object) {
    JsonObject deploy = object.object("deploy");
    matrix_.deploy.goal = read_goal(deploy);
    deploy.for_each_object("on", [&](JsonObject& on) { read_target(on); });
    if (deploy.has("best_over") || deploy.has("by")) read_selection(deploy);
    if (matrix_.deploy.on.empty() && (deploy.has("on") || !deploy.has("best_over")))
      deploy.problem("on", "needs at least one board type");
    matrix_.deploy.formats = deploy.list<std::string>("formats");
    if (matrix_.deploy.formats.empty()) matrix_.deploy.formats = {"int8"};
    for (const auto& format : matrix_.deploy.formats)
      if (format != "int8")
        deploy.problem("formats", "expected \"int8\", found \"" + format + "\"");
    matrix_.deploy.samples = deploy.optional("samples", 500);
    if (matrix_.deploy.samples < 1 || matrix_.deploy.samples > 10000)
      deploy.problem("samples", "expected 1 to 10000 test images");
  }

  void read_selection(JsonObject& deploy) {
    Selection selection;
    selection.over = deploy.list<std::string>("best_over");
    if (selection.over.empty())
      deploy.problem("best_over", "needs at least one field of sweep or variants");
    for (std::size_t i = 0; i < selection.over.size(); ++i) {
      const auto& path = selection.over[i];
      const auto place = fmt::format("best_over[{}]", i);
      if (!varies(path)) deploy.problem(place, path + " is not in sweep or variants");
      if (std::ranges::count(selection.over, path) > 1)
        deploy.problem(place, path + " is there twice");
    }
    selection.by_test = deploy.choice("by", {validation_criterion, test_criterion},
                                      std::string(validation_criterion)) == test_criterion;
    matrix_.deploy.selection = std::move(selection);
  }

  bool varies(const std::string& path) const {
    return std::ranges::count(matrix_.sweep, path, &SweepAxis::path) > 0 ||
           std::ranges::any_of(matrix_.variants,
                               [&](const FieldValues& values) { return values.contains(path); });
  }

  void read_target(JsonObject& on) {
    DeployTarget target;
    const auto name = on.required<std::string>("board_type");
    target.virtual_board = on.optional("virtual", false);
    const auto clock_mhz = on.maybe<double>("clock_mhz");
    if (on.has("optimize")) target.optimize = read_optimize(on);
    target.ram_budget = read_ram_budget(on);
    if (errors_.failed()) return;
    auto type = find_board_type(name);
    if (!type) return on.problem("board_type", type.error().message);
    target.board_type = std::move(*type);
    if (clock_mhz) {
      const auto clock = core_clock(target.board_type, *clock_mhz);
      if (!clock) return on.problem("clock_mhz", clock.error().message);
      const auto source = board_source(target.board_type, *clock);
      if (!source) return on.problem("clock_mhz", source.error().message);
      target.clock = *clock;
    }
    const auto refused = refused_budgets(goal_of(matrix_.deploy, target), target.board_type.part);
    if (!refused.empty()) return on.problem("board_type", refused);
    const auto same = [&](const DeployTarget& other) {
      return other.board_type.name == target.board_type.name &&
             other.virtual_board == target.virtual_board &&
             other.clock.value_or(other.board_type.clock) ==
                 target.clock.value_or(target.board_type.clock) &&
             goal_of(matrix_.deploy, other) == goal_of(matrix_.deploy, target);
    };
    if (std::ranges::any_of(matrix_.deploy.on, same))
      return on.problem("board_type",
                        fmt::format("{} is there twice, at the same clock for the same goal",
                                    target.board_type.name));
    matrix_.deploy.on.push_back(std::move(target));
  }

  JsonErrors& errors_;
  Matrix matrix_;
};

}  // namespace

DeployGoal goal_of(const Deploy& deploy, const DeployTarget& target) {
  DeployGoal goal = deploy.goal;
  if (target.optimize) goal.optimize = *target.optimize;
  if (target.ram_budget) goal.ram_budget = target.ram_budget;
  return goal;
}

std::string_view criterion(const Selection& selection) {
  return selection.by_test ? test_criterion : validation_criterion;
}

Result<Matrix> parse_matrix(const Json& json, const std::string& source) {
  JsonErrors errors(source);
  Matrix matrix = MatrixReader(errors).read(json);
  ASSAY_CHECK(errors.status());
  return matrix;
}

Result<Matrix> load_matrix(const std::filesystem::path& path) {
  ASSAY_TRY(const auto json, read_json_file(path));
  return parse_matrix(json, path.string());
}

Result<std::vector<Json>> expand_range(double from, double to, double step) {
  if (step == 0 || !std::isfinite(from) || !std::isfinite(to) || !std::isfinite(step))
    return fail(ErrorKind::bad_input, "the range needs a step that is not 0");
  // A value within a millionth of a step of `to` is `to`: steps such as 0.01 are not exact in
  // binary.
  const double steps = std::floor((to - from) / step + 1e-6);
  if (steps < 0)
    return fail(ErrorKind::bad_input,
                fmt::format("the range from {:g} to {:g} with step {:g} is empty", from, to, step));
  if (steps > 1e6) return fail(ErrorKind::bad_input, "the range has more than a million values");
  std::vector<Json> values;
  for (std::int64_t i = 0; i <= static_cast<std::int64_t>(steps); ++i) {
    // Twelve significant digits bring 0.1 + 7 * 0.01 back to the decimal 0.17.
    const auto decimal = fmt::format("{:.12g}", from + static_cast<double>(i) * step);
    values.push_back(std::stod(decimal));
  }
  return values;
}

}  // namespace assay
