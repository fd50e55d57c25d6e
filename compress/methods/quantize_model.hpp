// A float ONNX model rewritten in a quantized form. Free of Torch. Pure functions, thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compress/methods/quantize_constants.hpp"
#include "compress/onnx/model.hpp"

namespace assay {

/// Ranges of activations by tensor name.
using Ranges = std::map<std::string, Range>;

/// Scales that were learned elsewhere (quantization-aware training). They take the place of ranges
/// and of the weight observer.
struct GivenScales {
  GivenWeightScales weights = {};  ///< by layer name
  std::map<std::string, ActivationScale> activations =
      {};  ///< by tensor, of activations_to_observe
};

/// The activations whose ranges quantize_model needs: the input, and the output of every
/// convolution, dense layer, addition, multiplication and concatenation after its fused ReLU. Pools
/// and reshapes keep their input's scale, sigmoids have a fixed one. None for schemes with float
/// activations. Errors: bad_input naming a node that has no integer form here.
Result<std::vector<std::string>> activations_to_observe(const onnx::Model& model,
                                                        const QuantizeSettings& settings = {});

/// Whether quantize_model takes a model of this structure with these settings, asked before the
/// hours of a calibration or a training. Errors: those of quantize_model.
Status check_quantization(const onnx::Model& model, const QuantizeSettings& settings);

struct QuantizedModel {
  onnx::Model model;
  Json report;  ///< {"activations", "weights", "notices"}
};

/// The model in the form of settings.scheme, to which batch normalization must have been folded:
/// - none: as it is.
/// - int8: QuantizeLinear and DequantizeLinear after the input and every operator; weights int8
///   along axis 0 and biases int32 behind DequantizeLinear. A ReLU stays between its operator and
///   the QuantizeLinear, whose range then starts at 0. Tensor t of the float model becomes t.raw
///   (before), t.quantized, and t (after); the graph's input stays "t" and continues as
///   t.dequantized.
/// - int8w-int16a: the same with int16 activations around the zero point 0, for which both
///   operators are those of com.microsoft. Biases stay int32, the widest that DequantizeLinear
///   takes: 516 times the product of the largest input and the largest weight. What is beyond is
///   clamped with a notice.
/// - dynamic: only weights become int8 behind DequantizeLinear; operators and biases stay float.
/// - float16: weights and biases are float16 initializers behind a Cast to float32.
///
/// Weights that are int8 behind DequantizeLinear already stay as they are, integers and scales (in
/// float16 they become their real values). Weights of few distinct values that channels share
/// (clustering) get one scale for the layer where scales per channel would multiply the values; a
/// notice says so. Zeros stay zeros. Weight scales of the integer schemes keep to max_scale_ratio.
///
/// Errors: as above; bad_input when a range is missing, a weight is not finite or beyond float16,
/// or a layer or tensor named in settings or `given` is not in the model.
Result<QuantizedModel> quantize_model(const onnx::Model& model, const Ranges& ranges,
                                      const QuantizeSettings& settings = {},
                                      const GivenScales& given = {});

}  // namespace assay
