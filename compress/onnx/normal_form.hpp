// The many ways exporters write a network, brought to the one way that assay trains and lowers.
// Pure function, thread-safe.
#pragma once

#include <string>

#include "compress/onnx/model.hpp"

namespace assay::onnx {

/// The same function of a batch of any size, as opset 17:
///   - Identity and Dropout are gone; a constant behind Identity is a constant of its own, and so
///     is a bias or a number of a batch normalization that several nodes shared;
///   - Reshape and Squeeze of [N, ...] to [N, rest], however the shape is computed (Shape, Gather,
///     Unsqueeze, Concat), are Flatten; other constant shapes keep the batch;
///   - ReduceMean over height and width is GlobalAveragePool, and Flatten where axes are dropped;
///   - Gemm has its weights as [out][in] (transB = 1); MatMul of flat values by a constant, and an
///     Add of a constant behind it, are such a Gemm;
///   - the limits of Clip are inputs.
/// What is not named here stays as it is. Errors: bad_input naming the node whose shape depends on
/// more than the batch, which moves values between images, or reads what no rewriting keeps;
/// `source` names the model.
Result<Model> to_normal_form(const Model& model, const std::string& source);

}  // namespace assay::onnx
