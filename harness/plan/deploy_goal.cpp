#include "harness/plan/deploy_goal.hpp"

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

Json trial_settings(const BoardType& type) {
  return {{"board_type", type.name}, {"compiler_level", "-O2"}};
}

Json firmware_settings(const BoardType& type, Hertz clock, const DeployGoal& goal) {
  return {{"board_type", type.name},
          {"clock_hz", clock.count()},
          {"compiler_level", "-O2"},
          {"goal", to_json(goal)}};
}

}  // namespace assay
