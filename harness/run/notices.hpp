// What the stages of a cell noted about themselves: layers that a method left out, values that had
// to be clamped. A user must see it beside the figures. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "harness/core/result.hpp"
#include "harness/run/cell_artifacts.hpp"

namespace assay {

/// Sentences without full stop, in the order of the stages, each once: "cluster: conv1 was left
/// out, 9 weights are fewer than 16 clusters". Read from training.json of the stages that learned
/// from quantization.json beside the model, and from firmware.json; a file that is not there notes
/// nothing. Errors: bad_input for a file that is not JSON.
Result<std::vector<std::string>> notices_of(const CellArtifacts& artifacts);

}  // namespace assay
