// Convolution, depthwise and dense layers from their ONNX nodes: weights checked, put into the
// device's order. Inner part of lowering. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"
#include "targets/graph/pending_layer.hpp"
#include "targets/graph/qdq.hpp"

namespace assay::lowering {

/// The activation a layer reads: its index in the graph and the tensor.
struct LayerInput {
  int index = 0;
  const ActivationTensor& tensor;
};

/// Weights [out][in / group][kh][kw]. One group per channel with one output each is a depthwise
/// layer; other groups become one convolution whose weights are zero between the groups, with a
/// notice. Errors: bad_input for shapes that do not fit and integer weights that are not symmetric
/// int8. Of those a -128 becomes -127 with a notice.
Result<PendingLayer> convolution_layer(const onnx::Node& node, const LayerInput& input,
                                       const WeightConstant& weights,
                                       std::vector<std::string>& notices);

/// Weights of a Gemm or MatMul, [in][out], or [out][in] when `transposed`; rows of `in` in the
/// order of the flattened NCHW tensor. Errors and notices as above.
Result<PendingLayer> dense_layer(const onnx::Node& node, const LayerInput& input,
                                 const WeightConstant& weights, bool transposed,
                                 std::vector<std::string>& notices);

}  // namespace assay::lowering
