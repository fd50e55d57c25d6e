// How each node of a float model takes part in integer quantization. Free of Torch. Pure functions,
// thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compress/methods/layer_weights.hpp"

namespace assay {

/// What an operator means to the scales around it.
enum class Role {
  weighted,     ///< Conv, Gemm: own scale
  combination,  ///< Add, Mul, Concat of activations: own scale, to which the inputs are brought
  unit,         ///< Sigmoid, HardSigmoid: the fixed scale of [0, 1]
  activation,   ///< Relu, Clip: fused into the operator before it
  keep_scale,   ///< pools, reshapes: the input's scale
  constant,     ///< DequantizeLinear of weights: goes with its layer
};

/// The plan of one node.
struct Step {
  Role role;
  std::size_t activations;  ///< so many inputs, the first ones, are activations
};

/// The plan of a model.
struct QuantizationPlan {
  std::vector<Step> steps;  ///< one per node
  /// Every tensor that becomes integers, and the observed or unit tensor whose scale it has.
  std::map<std::string, std::string> scale_from;
  std::set<std::string> fused;        ///< outputs that go straight into a fused activation
  std::set<std::string> unit;         ///< outputs with the fixed scale of [0, 1]
  std::vector<std::string> observed;  ///< tensors whose range must be known, sorted
};

/// Errors: bad_input naming a node that has no integer form here, or a model without exactly one
/// input.
Result<QuantizationPlan> plan_quantization(const onnx::Model& model);

}  // namespace assay
