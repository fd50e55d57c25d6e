// Networks without training: what can be known of a model's size before it exists. Sizes depend on
// shapes alone, so zero weights tell them exactly. Pure; thread-safe.
#pragma once

#include "compress/models/model_spec.hpp"
#include "compress/onnx/model.hpp"
#include "harness/plan/config.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay {

/// The float32 model of a choice with all weights zero. Errors: bad_input.
Result<onnx::Model> untrained_model(const ModelChoice& choice, const std::string& data);

/// The integer network of a configuration's student with all weights zero. Errors: bad_input.
Result<IntegerGraph> untrained_graph(const Config& config);

/// Whether the device's kernels compute every layer of a configuration's final model, so that it
/// can go to boards and the host evaluates it bit for bit. Errors: bad_input when the network
/// cannot be built.
Result<bool> has_integer_kernels(const Config& config);

/// Bytes of the float32 ONNX file of the student's family without cuts and at full width: what
/// compression ratios are taken against. Errors: bad_input.
Result<double> reference_model_bytes(const Config& config);

}  // namespace assay
