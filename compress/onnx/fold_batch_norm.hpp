// Batch normalization of a trained network folded into the layers around it, as inference wants it
// (Jacob et al., 2018, section 3.2). Pure function, thread-safe.
#pragma once

#include "compress/onnx/model.hpp"

namespace assay::onnx {

/// The same function without BatchNormalization nodes: y = gamma * (x - mean) / sqrt(variance +
/// epsilon) + beta is folded into the Conv or Gemm that x comes from and that nothing else reads,
/// and becomes a depthwise 1x1 Conv elsewhere. A folded layer has a bias. Computed in double
/// precision. Errors: bad_input naming a normalization whose numbers are no constants, do not fit
/// each other or the layer, or whose input is [N, C] and comes from no layer that can take it in.
Result<Model> fold_batch_norm(const Model& model);

}  // namespace assay::onnx
