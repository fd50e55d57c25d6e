// Whether a model fits a board, before it is trained.
#pragma once

#include <string>

#include "harness/core/board_type.hpp"
#include "harness/core/units.hpp"
#include "harness/plan/config.hpp"

namespace assay {

/// What a model needs of a part. Weights, arena and their sum are exact for the shapes and the
/// scheme's weights, with layers in strips where the RAM asks for it; the runtime and code around
/// them are an allowance.
struct FitEstimate {
  Bytes flash_needed;
  /// With the smallest form of every layer's weights that compression may leave room for, which
  /// only trained weights can tell; flash_needed where nothing is compressed.
  Bytes least_flash;
  Bytes flash_size;
  Bytes ram_needed;
  Bytes ram_size;
  /// False when it cannot fit, whatever the weights come to.
  bool fits() const { return least_flash <= flash_size && ram_needed <= ram_size; }
  /// "fits", "misses by 1234 bytes of RAM", or, where a smaller form of weights may help, "misses
  /// by at most 1234 bytes of flash".
  std::string sentence() const;
};

/// Errors: bad_input when the network cannot be built.
Result<FitEstimate> estimate_fit(const Config& config, const BoardType& board_type);

}  // namespace assay
