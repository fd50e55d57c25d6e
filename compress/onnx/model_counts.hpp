// What a model costs by its nodes and shapes alone: multiply-accumulates and parameters. Pure,
// thread-safe.
#pragma once

#include <cstdint>

#include "compress/onnx/model.hpp"
#include "harness/core/units.hpp"

namespace assay::onnx {

/// Multiply-accumulates of one inference: the weights of a Conv at every place of its output, those
/// of a Gemm or MatMul once; biases are not counted. A weight counts whether it is zero or not.
/// Errors: bad_input naming the node whose window does not fit its input, or has no shape.
Result<Macs> count_macs(const Model& model);

/// Weights and biases: the constants of Conv, Gemm and MatMul, and of every BatchNormalization a
/// factor and an offset per channel. Scales and zero points are no parameters.
std::uint64_t count_parameters(const Model& model);

}  // namespace assay::onnx
