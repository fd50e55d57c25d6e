#include "compress/methods/quantization_scale.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace assay {
namespace {

// Below it a value counts as zero; products of two such scales are still normal floats.
constexpr float smallest_scale = 1e-16F;

/// Integers of a width.
struct Limits {
  double lowest;
  double highest;
};

constexpr Limits limits_of(int bits) {
  return bits == 8 ? Limits{-128, 127} : Limits{-32768, 32767};
}

/// Gives zeros a scale and, where bounded, raises scales to the largest / max_scale_ratio. How many
/// were raised.
int raise_scales(std::vector<float>& scales, bool bounded) {
  const float largest = *std::max_element(scales.begin(), scales.end());
  const bool all_zero = largest < smallest_scale;
  int raised = 0;
  for (float& scale : scales) {
    if (all_zero || (!bounded && scale < smallest_scale)) scale = 1;
    if (!bounded || scale >= largest / max_scale_ratio) continue;
    scale = largest / max_scale_ratio;
    ++raised;
  }
  return raised;
}

}  // namespace

double ActivationScale::round_trip(double value) const {
  const auto [lowest, highest] = limits_of(bits);
  const double q = std::nearbyint(value / scale) + zero_point;
  return scale * (std::clamp(q, lowest, highest) - zero_point);
}

ActivationScale activation_scale(Range range, int bits) {
  const double low = std::min(range.low, 0.0F);
  const double high = std::max(range.high, 0.0F);
  const auto [lowest, highest] = limits_of(bits);
  const double steps =
      bits == 8 ? (high - low) / (highest - lowest) : std::max(-low, high) / highest;
  const auto scale = float(steps);
  if (scale < smallest_scale) return {1.0F, 0, bits};
  if (bits != 8) return {scale, 0, bits};
  const double zero_point = lowest - std::nearbyint(low / scale);
  return {scale, std::int8_t(std::clamp(zero_point, lowest, highest)), bits};
}

ActivationScale unit_scale(int bits) {
  return bits == 8 ? ActivationScale{1.0F / 256, -128, bits}
                   : ActivationScale{1.0F / 32768, 0, bits};
}

QuantizedWeights quantize_weights(std::span<const float> weights, std::int64_t channels,
                                  const WeightForm& form) {
  QuantizedWeights result;
  const std::size_t groups = form.scales == WeightScales::channel ? std::size_t(channels) : 1;
  const std::size_t size = weights.size() / groups;
  for (std::size_t g = 0; g < groups; ++g)
    result.scales.push_back(
        weight_scale(weights.subspan(g * size, size), form.bits, form.observer));
  result.raised_channels = raise_scales(result.scales, form.bounded);
  result.values = round_weights(weights, result.scales, form.bits);
  return result;
}

std::vector<std::int8_t> round_weights(std::span<const float> weights,
                                       std::span<const float> scales, int bits) {
  const auto limit = float(weight_limit(bits));
  const std::size_t size = weights.size() / scales.size();
  std::vector<std::int8_t> values;
  values.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float q = std::nearbyint(weights[i] / scales[i / size]);
    values.push_back(std::int8_t(std::clamp(q, -limit, limit)));
  }
  return values;
}

QuantizedBias quantize_bias(std::span<const float> bias, float input_scale,
                            std::span<const float> weight_scales) {
  constexpr double limit = std::numeric_limits<std::int32_t>::max();
  QuantizedBias result;
  for (float weight_scale : weight_scales)
    result.scales.push_back(input_scale * weight_scale);
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const float scale = result.scales[result.scales.size() == 1 ? 0 : c];
    const double q = std::nearbyint(double(bias[c]) / scale);
    if (std::abs(q) > limit) ++result.saturated_channels;
    result.values.push_back(std::int32_t(std::clamp(q, -limit, limit)));
  }
  return result;
}

}  // namespace assay
