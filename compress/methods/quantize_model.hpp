// A float ONNX model rewritten as an int8 QDQ model. Free of Torch. Pure functions, thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compress/methods/quantization_scale.hpp"
#include "compress/onnx/model.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// Ranges of activations by tensor name.
using Ranges = std::map<std::string, Range>;

/// The activations whose ranges quantize_model needs: the input, and the output of every
/// convolution, dense layer and addition after its fused ReLU. Pools and reshapes keep their
/// input's scale. Errors: bad_input naming a node that has no int8 form here.
Result<std::vector<std::string>> activations_to_observe(const onnx::Model& model);

struct QuantizedModel {
  onnx::Model model;
  Json report;  ///< {"activations", "weights", "notices"}
};

/// QuantizeLinear and DequantizeLinear after the input and every operator; weights int8 along axis
/// 0 and biases int32 behind DequantizeLinear. A ReLU stays between its operator and the
/// QuantizeLinear, whose range then starts at 0. Tensor t of the float model becomes t.raw
/// (before), t.quantized, and t (after); the graph's input stays "t" and continues as
/// t.dequantized. Errors: as above; bad_input when a range is missing.
Result<QuantizedModel> quantize_model(const onnx::Model& model, const Ranges& ranges);

}  // namespace assay
