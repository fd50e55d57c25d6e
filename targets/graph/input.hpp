// From an image to the tensor a network reads. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay {

/// Per-channel normalization of pixels 0..255: x = (pixel / 255 - mean) / deviation.
struct InputNormalization {
  std::vector<float> mean;
  std::vector<float> deviation;
};

/// Reads the model's metadata "assay.mean" and "assay.deviation": numbers separated by commas, one
/// per channel or one for all. Errors: bad_input when one is missing, is not a list of numbers, has
/// the wrong length, or a deviation is not positive.
Result<InputNormalization> read_normalization(const onnx::Model& model, int channels);

/// Quantizes uint8 pixels [channels][height][width] to the bytes of the int8 or int16 NHWC tensor:
/// clamp(round_half_even(x / scale) + zero_point), computed in float32 as ONNX QuantizeLinear does.
std::vector<std::int8_t> quantize_pixels(std::span<const std::uint8_t> pixels,
                                         const InputNormalization& normalization,
                                         const ActivationTensor& tensor);

/// Quantizes a float input [channels][height][width] that is already normalized.
std::vector<std::int8_t> quantize_values(std::span<const float> values,
                                         const ActivationTensor& tensor);

/// What a network reads of an image: the bytes of the quantized pixels, or of their real numbers
/// where the tensor is float32.
std::vector<std::int8_t> network_input(std::span<const std::uint8_t> pixels,
                                       const InputNormalization& normalization,
                                       const ActivationTensor& tensor);

}  // namespace assay
