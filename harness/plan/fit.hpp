// Whether a model fits a board, before it is trained.
#pragma once

#include <string>

#include "harness/core/board_type.hpp"
#include "harness/core/units.hpp"
#include "harness/plan/config.hpp"

namespace assay {

/// What an int8 model needs of a part. Weights, arena and their sum are exact for the shapes; the
/// runtime and code around them are an allowance.
struct FitEstimate {
  Bytes flash_needed;
  Bytes flash_size;
  Bytes ram_needed;
  Bytes ram_size;
  bool fits() const { return flash_needed <= flash_size && ram_needed <= ram_size; }
  /// "fits", or "misses by 1 234 bytes of RAM".
  std::string sentence() const;
};

/// Errors: bad_input when the network cannot be built.
Result<FitEstimate> estimate_fit(const Config& config, const BoardType& board_type);

}  // namespace assay
