// The numbers of int8 quantization: scales, zero points, integer weights. Free of Torch. Pure
// functions, thread-safe.
//
// Real value = scale * (q - zero_point). Weights are symmetric within [-127, 127] with one scale
// per output channel, activations asymmetric within [-128, 127] with one scale per tensor, biases
// int32 with scale s_input * s_weight (Jacob et al., 2018, section 2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace assay {

/// A range of real values that holds 0, as quantization needs it: zero padding and ReLU are exact.
struct Range {
  float low = 0;
  float high = 0;
};

/// How one activation tensor is quantized.
struct ActivationScale {
  float scale = 1;
  std::int8_t zero_point = 0;

  /// Quantized and dequantized again: rounds half to even, saturates.
  double round_trip(double value) const;
};

/// The scale whose 255 steps span `range`, widened to hold 0; an empty range gets the scale 1. The
/// zero point is -128 - round(low / scale), so a range that starts at 0 has the zero point -128.
ActivationScale activation_scale(Range range);

/// Integer weights of one layer.
struct QuantizedWeights {
  std::vector<std::int8_t> values;  ///< same order as the real weights
  std::vector<float> scales;        ///< one per output channel
  int raised_channels = 0;          ///< channels whose scale the bound below raised
};

/// Largest over smallest weight scale within a layer. The device multiplies by m < 2^15 with one
/// shift for the whole layer, so m is proportional to the channel's scale: within this ratio the
/// smallest m keeps 8 of its 15 bits.
constexpr float max_scale_ratio = 128;

/// `weights` holds `channels` rows of equal length. A channel's scale is its largest magnitude over
/// 127, raised to the layer's largest scale / max_scale_ratio where it would be smaller; a layer of
/// zeros gets the scale 1.
QuantizedWeights quantize_weights(std::span<const float> weights, std::int64_t channels);

/// Integer biases.
struct QuantizedBias {
  std::vector<std::int32_t> values;
  std::vector<float> scales;   ///< input_scale * weight_scales
  int saturated_channels = 0;  ///< beyond int32 and clamped
};

QuantizedBias quantize_bias(std::span<const float> bias, float input_scale,
                            std::span<const float> weight_scales);

}  // namespace assay
