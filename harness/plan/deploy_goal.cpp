#include "harness/plan/deploy_goal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "harness/core/cycle_claim.hpp"

namespace assay {

Json to_json(const DeployGoal& goal) {
  Json json{{"optimize", to_string(goal.optimize)}};
  if (goal.flash_budget) json["flash_budget_bytes"] = goal.flash_budget->count();
  if (goal.latency_budget) json["latency_budget_us"] = goal.latency_budget->count();
  if (goal.ram_budget) json["ram_budget_bytes"] = goal.ram_budget->count();
  return json;
}

Optimize read_optimize(JsonObject& object) {
  const auto word = object.choice("optimize", {"latency", "flash", "balanced"}, "latency");
  return parse_optimize(word).value_or(Optimize::latency);
}

std::optional<Bytes> read_ram_budget(JsonObject& object) {
  if (!object.has("ram_budget_bytes")) return std::nullopt;
  return Bytes(object.required<std::uint64_t>("ram_budget_bytes"));
}

DeployGoal read_goal(JsonObject& object) {
  DeployGoal goal;
  goal.optimize = read_optimize(object);
  if (object.has("flash_budget_bytes"))
    goal.flash_budget = Bytes(object.required<std::uint64_t>("flash_budget_bytes"));
  if (object.has("latency_budget_us")) {
    const auto limit = object.required<double>("latency_budget_us");
    if (limit <= 0) object.problem("latency_budget_us", "expected microseconds above 0");
    goal.latency_budget = Microseconds(limit);
  }
  goal.ram_budget = read_ram_budget(object);
  return goal;
}

Result<DeployGoal> parse_goal(const Json& json) {
  JsonErrors errors("goal");
  DeployGoal goal;
  {
    JsonObject object(json, "", errors);
    goal = read_goal(object);
  }
  ASSAY_CHECK(errors.status());
  return goal;
}

std::string refused_budgets(const DeployGoal& goal, const Part& part) {
  if (!part.runs_linux() || !(goal.flash_budget || goal.latency_budget || goal.ram_budget))
    return "";
  return fmt::format(
      "a flash, latency or RAM budget cannot be kept on {}, which runs Linux: kernels and strips "
      "are chosen by it for microcontrollers alone; leave the budgets out",
      part.title);
}

GoalFigures goal_figures(const Metrics& metrics) {
  GoalFigures figures;
  if (const auto latency = metrics.find("latency_us"); latency != metrics.end()) {
    figures.latency = Microseconds(latency->second.value);
    figures.latency_is_measured = latency->second.provenance == Provenance::measured;
  }
  const auto weights = metrics.find("rom_weights_bytes"), code = metrics.find("rom_code_bytes");
  if (weights != metrics.end() && code != metrics.end())
    figures.flash = Bytes(static_cast<std::uint64_t>(weights->second.value + code->second.value));
  if (const auto arena = metrics.find("ram_arena_bytes"); arena != metrics.end())
    figures.ram = Bytes(static_cast<std::uint64_t>(arena->second.value));
  return figures;
}

std::string missed_goal(const DeployGoal& goal, const GoalFigures& figures) {
  std::vector<std::string> missed;
  if (goal.flash_budget && figures.flash && *figures.flash > *goal.flash_budget)
    missed.push_back(fmt::format(
        "constants and code of the layers take {} bytes of flash as they are linked, {} more than "
        "the budget of {}",
        figures.flash->count(), (*figures.flash - *goal.flash_budget).count(),
        goal.flash_budget->count()));
  if (goal.ram_budget && figures.ram && *figures.ram > *goal.ram_budget)
    missed.push_back(fmt::format(
        "tensors and scratch take {} bytes of RAM as they are placed, {} more than the budget of "
        "{}",
        figures.ram->count(), (*figures.ram - *goal.ram_budget).count(), goal.ram_budget->count()));
  if (goal.latency_budget && figures.latency && *figures.latency > *goal.latency_budget)
    missed.push_back(fmt::format(
        "an inference takes {:.10g} us, {:.10g} us more than the latency budget of {:.10g} us{}",
        figures.latency->count(), (*figures.latency - *goal.latency_budget).count(),
        goal.latency_budget->count(),
        figures.latency_is_measured && goal.optimize != Optimize::latency
            ? "; kernels are chosen by modelled cycles: assay calibrate fits these to the board"
            : ""));
  return fmt::format("{}", fmt::join(missed, ", and "));
}

Microseconds Pace::time_of(double modelled_cycles) const {
  return Microseconds(modelled_cycles * factor * 1e6 / static_cast<double>(clock.count()));
}

Cycles Pace::cycles_in(Microseconds duration) const {
  constexpr double most = 1e18;
  const double cycles = duration.count() * static_cast<double>(clock.count()) / 1e6 / factor;
  return Cycles(static_cast<std::uint64_t>(std::floor(std::min(most, cycles))));
}

Pace pace_of(const Part& part, Hertz clock, const std::optional<Calibration>& calibration) {
  return {clock, cycle_claim(part, clock, Extent::network, calibration).factor};
}

Json trial_settings(const BoardType& type, Hertz clock) {
  return {{"board_type", type.name}, {"clock_hz", clock.count()}, {"compiler_level", "-O2"}};
}

Json firmware_settings(const BoardType& type, const Pace& pace, const DeployGoal& goal) {
  Json settings{{"board_type", type.name},
                {"clock_hz", pace.clock.count()},
                {"compiler_level", "-O2"},
                {"goal", to_json(goal)}};
  if (goal.latency_budget && pace.factor != 1) settings["calibration_factor"] = pace.factor;
  return settings;
}

}  // namespace assay
