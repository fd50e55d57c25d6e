// Whether a model fits a board, before it is trained.
#pragma once

#include <optional>
#include <string>

#include "harness/core/board_type.hpp"
#include "harness/core/units.hpp"
#include "harness/plan/config.hpp"
#include "harness/plan/deploy_goal.hpp"

namespace assay {

/// What counts against a budget of a deploy goal.
struct BudgetEstimate {
  Bytes budget;
  Bytes needed;
  Bytes least;  ///< whatever trained weights and compiled code come to
};

/// What a model needs of a part. Weights, arena and their sum are exact for the shapes and the
/// scheme's weights, over several banks of RAM or with layers in strips where the RAM or its budget
/// asks for it; the runtime and code around them are an allowance. A latency is not estimated.
struct FitEstimate {
  Bytes flash_needed;
  /// With the smallest form of every layer's weights that compression may leave room for, which
  /// only trained weights can tell; flash_needed where nothing is compressed.
  Bytes least_flash;
  Bytes flash_size;
  Bytes ram_needed;
  Bytes ram_size;  ///< of all banks where the network finds a place in them, else of the largest
  std::optional<BudgetEstimate> flash_budget = {};  ///< constants and code of all layers
  std::optional<BudgetEstimate> ram_budget = {};    ///< tensors and scratch
  /// False when it cannot fit or keep its budgets, whatever the weights come to.
  bool fits() const;
  /// "fits", "misses by 1234 bytes of RAM", or, where a smaller form of weights may help, "misses
  /// by at most 1234 bytes of flash"; likewise "misses the RAM budget by 1234 bytes".
  std::string sentence() const;
};

/// Errors: bad_input when the network cannot be built.
Result<FitEstimate> estimate_fit(const Config& config, const BoardType& board_type,
                                 const DeployGoal& goal = {});

}  // namespace assay
