// What the kernels of a model on a board are chosen for, and the settings of the stages that do it.
#pragma once

#include <chrono>
#include <optional>

#include "harness/core/board_type.hpp"
#include "harness/core/json.hpp"
#include "harness/core/units.hpp"
#include "targets/pack/choice.hpp"

namespace assay {

using Microseconds = std::chrono::duration<double, std::micro>;

/// The user's choice. Budgets are for all layers of one inference together.
struct DeployGoal {
  Optimize optimize = Optimize::latency;
  std::optional<Bytes> flash_budget;  ///< constants and kernel code; default: what the part has
  std::optional<Microseconds> latency_budget;  ///< modelled, at the board's clock
  std::optional<Bytes> ram_budget = {};        ///< tensors and scratch; default: what the part has
  bool operator==(const DeployGoal&) const = default;
};

/// {"optimize", "flash_budget_bytes"?, "latency_budget_us"?, "ram_budget_bytes"?}
Json to_json(const DeployGoal& goal);
/// Reads its field "optimize", latency when absent; a problem is noted there.
Optimize read_optimize(JsonObject& object);
/// Reads its field "ram_budget_bytes"; a problem is noted there.
std::optional<Bytes> read_ram_budget(JsonObject& object);
/// Reads those fields of an object that may have others; problems are noted there.
DeployGoal read_goal(JsonObject& object);
/// The same of an object that was written by to_json. Errors: bad_input.
Result<DeployGoal> parse_goal(const Json& json);

/// Settings of the stage that tries the kernels for a board type.
Json trial_settings(const BoardType& type);
/// Settings of the stage that builds the firmware.
Json firmware_settings(const BoardType& type, Hertz clock, const DeployGoal& goal);

}  // namespace assay
