// From an ONNX model to the network that devices run. Pure; thread-safe.
#pragma once

#include <filesystem>

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay {

/// Lowers an int8 or int16 model in QDQ form: Conv (also depthwise: group == channels), Gemm,
/// MatMul (+ Add of a constant), MaxPool, AveragePool, GlobalAveragePool, Add, Mul, Concat,
/// Sigmoid, HardSigmoid, HardSwish, Tanh, LeakyRelu and Elu between DequantizeLinear and
/// QuantizeLinear; Relu and Clip are fused; a grouped convolution becomes one with zeros between
/// the groups; Flatten and Reshape to [N, rest] vanish into the order of the next layer's weights;
/// a last Softmax is left to the host. uint8 activations are shifted by 128, a weight of -128
/// becomes -127. int16 activations (QuantizeLinear and DequantizeLinear of com.microsoft, zero
/// point 0) are all of a network's or none. What changed is told in IntegerGraph::notices.
///
/// A model whose activations pass through no QuantizeLinear becomes a network over float32 tensors
/// of the same operators. Its weights are float32, float16 behind a Cast, or int8 behind a
/// DequantizeLinear, and are stored as that; batch normalization is folded.
///
/// The network has one input of [1 or symbolic, channels, height, width] (or [1, features]) and one
/// output. Arithmetic: targets/runtime/ARITHMETIC.md.
///
/// Errors: bad_input naming the node, its operator and what would be supported.
Result<IntegerGraph> lower(const onnx::Model& model);

/// The same for a model that was read from `file`, which the error then names.
Result<IntegerGraph> lower(const onnx::Model& model, const std::filesystem::path& file);

}  // namespace assay
