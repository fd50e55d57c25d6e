// ONNX Runtime (an npm package, see cmake/install-onnxruntime) as a second opinion on ONNX files.
#pragma once

#include <span>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"

namespace assay::test {

/// Runs the model of one float input of `shape` ([1, channels, height, width]) on inputs that lie
/// one behind the other; returns the outputs likewise. Errors: infrastructure when ONNX Runtime is
/// not installed; failed_verdict with its own words when it refuses the model.
Result<std::vector<float>> run_onnx_runtime(const std::filesystem::path& model,
                                            const std::vector<std::int64_t>& shape,
                                            std::span<const float> inputs);

}  // namespace assay::test
