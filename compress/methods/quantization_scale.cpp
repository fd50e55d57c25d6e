#include "compress/methods/quantization_scale.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace assay {
namespace {

constexpr double lowest = -128;
constexpr double highest = 127;
constexpr float weight_limit = 127;
// Below it a value counts as zero; products of two such scales are still normal floats.
constexpr float smallest_scale = 1e-16F;

}  // namespace

double ActivationScale::round_trip(double value) const {
  const double q = std::nearbyint(value / scale) + zero_point;
  return scale * (std::clamp(q, lowest, highest) - zero_point);
}

ActivationScale activation_scale(Range range) {
  const double low = std::min(range.low, 0.0F);
  const double high = std::max(range.high, 0.0F);
  const auto scale = float((high - low) / (highest - lowest));
  if (scale < smallest_scale) return {1.0F, 0};
  const double zero_point = lowest - std::nearbyint(low / scale);
  return {scale, std::int8_t(std::clamp(zero_point, lowest, highest))};
}

QuantizedWeights quantize_weights(std::span<const float> weights, std::int64_t channels) {
  QuantizedWeights result;
  const std::size_t row = weights.size() / std::size_t(channels);
  for (std::int64_t c = 0; c < channels; ++c) {
    float largest = 0;
    for (float weight : weights.subspan(std::size_t(c) * row, row))
      largest = std::max(largest, std::abs(weight));
    result.scales.push_back(largest / weight_limit);
  }
  const float largest_scale = *std::max_element(result.scales.begin(), result.scales.end());
  const bool all_zero = largest_scale < smallest_scale;
  const float floor = all_zero ? 1.0F : largest_scale / max_scale_ratio;
  for (float& scale : result.scales) {
    if (scale >= floor) continue;
    scale = floor;
    if (!all_zero) ++result.raised_channels;
  }
  result.values.reserve(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float q = std::nearbyint(weights[i] / result.scales[i / row]);
    result.values.push_back(std::int8_t(std::clamp(q, -weight_limit, weight_limit)));
  }
  return result;
}

QuantizedBias quantize_bias(std::span<const float> bias, float input_scale,
                            std::span<const float> weight_scales) {
  constexpr double limit = std::numeric_limits<std::int32_t>::max();
  QuantizedBias result;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const float scale = input_scale * weight_scales[c];
    const double q = std::nearbyint(double(bias[c]) / scale);
    if (std::abs(q) > limit) ++result.saturated_channels;
    result.scales.push_back(scale);
    result.values.push_back(std::int32_t(std::clamp(q, -limit, limit)));
  }
  return result;
}

}  // namespace assay
