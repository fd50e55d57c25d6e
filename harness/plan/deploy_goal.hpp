// What the kernels of a model on a board are chosen for, and the settings of the stages that do it.
#pragma once

#include <chrono>
#include <optional>

#include "harness/core/board_type.hpp"
#include "harness/core/calibration.hpp"
#include "harness/core/json.hpp"
#include "harness/core/metric.hpp"
#include "harness/core/units.hpp"
#include "targets/pack/choice.hpp"

namespace assay {

using Microseconds = std::chrono::duration<double, std::micro>;

/// The user's choice. Budgets are for all layers of one inference together.
struct DeployGoal {
  Optimize optimize = Optimize::latency;
  std::optional<Bytes> flash_budget;  ///< constants and kernel code; default: what the part has
  std::optional<Microseconds> latency_budget;  ///< of an inference, at the clock it runs at
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

/// Why no budget can be kept on a part at all; empty where budgets can, or the goal has none.
std::string refused_budgets(const DeployGoal& goal, const Part& part);

/// What a finished network costs.
struct GoalFigures {
  std::optional<Bytes> flash;  ///< constants and code of all layers, as linked
  std::optional<Microseconds> latency;
  std::optional<Bytes> ram = {};     ///< tensors and scratch, in all banks
  bool latency_is_measured = false;  ///< on silicon, where kernels are chosen by modelled cycles
};

/// From rom_weights_bytes, rom_code_bytes, latency_us and ram_arena_bytes, where they are known.
GoalFigures goal_figures(const Metrics& metrics);

/// Says which budgets the figures miss, and by how much; empty where they keep them. A figure that
/// is not known misses none.
std::string missed_goal(const DeployGoal& goal, const GoalFigures& figures);

/// From modelled cycles to time.
struct Pace {
  Hertz clock;
  double factor = 1;  ///< of the part's calibration at that clock

  Microseconds time_of(double modelled_cycles) const;
  /// Whole cycles; a duration beyond what a counter holds is no limit at all.
  Cycles cycles_in(Microseconds duration) const;
};

/// That of a whole network on a part.
Pace pace_of(const Part& part, Hertz clock, const std::optional<Calibration>& calibration);

/// Settings of the stage that tries the kernels for a board type: wait states, and so what a kernel
/// costs, depend on the clock.
Json trial_settings(const BoardType& type, Hertz clock);
/// Settings of the stage that builds the firmware. A calibration's factor is one of them where a
/// latency budget makes it matter.
Json firmware_settings(const BoardType& type, const Pace& pace, const DeployGoal& goal);

}  // namespace assay
