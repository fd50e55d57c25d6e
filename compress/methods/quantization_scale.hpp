// The numbers of quantization: scales, zero points, integer weights. Free of Torch. Pure functions,
// thread-safe.
//
// Real value = scale * (q - zero_point). Weights are symmetric within [-127, 127], [-7, 7] or [-1,
// 1] with one scale per output channel or per layer; int8 activations are asymmetric within [-128,
// 127] and int16 activations symmetric within [-32767, 32767], with one scale per tensor; biases
// are int32 with scale s_input * s_weight (Jacob et al., 2018, section 2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/methods/weight_scale.hpp"

namespace assay {

/// A range of real values that holds 0, as quantization needs it: zero padding and ReLU are exact.
struct Range {
  float low = 0;
  float high = 0;
};

/// How one activation tensor is quantized.
struct ActivationScale {
  float scale = 1;
  std::int8_t zero_point = 0;  ///< 0 at 16 bits
  int bits = 8;                ///< 8 or 16

  /// Quantized and dequantized again: rounds half to even, saturates.
  double round_trip(double value) const;
};

/// The scale whose 255 steps span `range`, widened to hold 0; an empty range gets the scale 1. The
/// zero point is -128 - round(low / scale), so a range that starts at 0 has the zero point -128. At
/// 16 bits the larger magnitude is 32767 steps from the zero point 0.
ActivationScale activation_scale(Range range, int bits = 8);

/// The scale of values in [0, 1], which needs no observation: steps of 1/256 from -128, or of
/// 1/32768 from 0.
ActivationScale unit_scale(int bits);

/// Integer weights of one layer.
struct QuantizedWeights {
  std::vector<std::int8_t> values;  ///< same order as the real weights
  std::vector<float> scales;        ///< one per output channel, or one for the layer
  int raised_channels = 0;          ///< channels whose scale the bound below raised
};

/// Largest over smallest weight scale within a layer. The device multiplies by m < 2^15 with one
/// shift for the whole layer, so m is proportional to the channel's scale: within this ratio the
/// smallest m keeps 8 of its 15 bits.
constexpr float max_scale_ratio = 128;

/// How the weights of a layer become integers.
struct WeightForm {
  int bits = 8;  ///< 8, 4 or 2
  WeightObserver observer = WeightObserver::automatic;
  WeightScales scales = WeightScales::channel;
  bool bounded = true;  ///< keeps to max_scale_ratio; float layers need no bound
};

/// `weights` holds `channels` rows of equal length, each with the scale that the observer finds,
/// raised to the layer's largest scale / max_scale_ratio where it would be smaller. A layer of
/// zeros gets the scale 1. Zeros stay zeros.
QuantizedWeights quantize_weights(std::span<const float> weights, std::int64_t channels,
                                  const WeightForm& form = {});

/// Rounded half to even with the given scales, one per output channel or one for the layer, and
/// clamped to the range of `bits`.
std::vector<std::int8_t> round_weights(std::span<const float> weights,
                                       std::span<const float> scales, int bits);

/// Integer biases.
struct QuantizedBias {
  std::vector<std::int32_t> values;
  std::vector<float> scales;   ///< input_scale * weight_scales, as many as weight_scales
  int saturated_channels = 0;  ///< beyond int32 and clamped
};

QuantizedBias quantize_bias(std::span<const float> bias, float input_scale,
                            std::span<const float> weight_scales);

}  // namespace assay
