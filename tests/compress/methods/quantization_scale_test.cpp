// Scales and zero points against values worked out by hand.
#include "compress/methods/quantization_scale.hpp"

#include <gmock/gmock.h>

#include <array>
#include <limits>

namespace assay {
namespace {

using ::testing::ElementsAre;

struct ScaleCase {
  Range range;
  float scale;
  int zero_point;
};

TEST(ActivationScale, HasTheClosedForm) {
  const ScaleCase cases[] = {
      {{0, 255}, 1, -128},  // after a ReLU: starts at 0
      {{0, 2.55F}, 0.01F, -128},
      {{-128, 127}, 1, 0},
      {{-255, 0}, 1, 127},
      {{-1, 254}, 1, -127},
      {{-100.4F, 154.6F}, 1, -28},  // -128 + round(100.4)
      {{3, 5.1F}, 0.02F, -128},     // widened down to 0
      {{-5.1F, -3}, 0.02F, 127},    // widened up to 0
      {{0, 0}, 1, 0},
  };
  for (const ScaleCase& test : cases) {
    const ActivationScale scale = activation_scale(test.range);
    EXPECT_NEAR(scale.scale, test.scale, 1e-7 * test.scale + 1e-9);
    EXPECT_EQ(scale.zero_point, test.zero_point) << test.range.low << " to " << test.range.high;
  }
}

TEST(ActivationScale, RepresentsZeroExactly) {
  for (float low : {-7.3F, -0.001F, 0.0F})
    for (float high : {0.0F, 0.37F, 91.0F})
      EXPECT_EQ(activation_scale({low, high}).round_trip(0.0), 0.0) << low << " to " << high;
}

TEST(ActivationScale, RoundsHalfToEvenAndSaturates) {
  const ActivationScale scale = activation_scale({-128, 127});
  EXPECT_EQ(scale.round_trip(2.5), 2);
  EXPECT_EQ(scale.round_trip(3.5), 4);
  EXPECT_EQ(scale.round_trip(-2.5), -2);
  EXPECT_EQ(scale.round_trip(1000), 127);
  EXPECT_EQ(scale.round_trip(-1000), -128);
}

TEST(ActivationScale, OfSixteenBitsIsSymmetric) {
  const ScaleCase cases[] = {
      {{0, 32767}, 1, 0}, {{-65534, 100}, 2, 0}, {{-1, 0.5F}, 1 / 32767.0F, 0}, {{0, 0}, 1, 0}};
  for (const ScaleCase& test : cases) {
    const ActivationScale scale = activation_scale(test.range, 16);
    EXPECT_FLOAT_EQ(scale.scale, test.scale);
    EXPECT_EQ(scale.zero_point, 0);
    EXPECT_EQ(scale.round_trip(1e9), 32767 * double(scale.scale));
    EXPECT_EQ(scale.round_trip(-1e9), -32768 * double(scale.scale));
    EXPECT_EQ(scale.round_trip(2.5 * scale.scale), 2 * double(scale.scale));
  }
}

TEST(UnitScale, SpansZeroToOne) {
  EXPECT_EQ(unit_scale(8).round_trip(0), 0);
  EXPECT_EQ(unit_scale(8).round_trip(1), 255.0 / 256);
  EXPECT_EQ(unit_scale(16).round_trip(0.5), 0.5);
  EXPECT_EQ(unit_scale(16).round_trip(1), 32767.0 / 32768);
}

TEST(RoundTrip, IsExactForRepresentableTensors) {
  for (int bits : {8, 16}) {
    const ActivationScale scale{0.25F, std::int8_t(bits == 8 ? -7 : 0), bits};
    const int lowest = bits == 8 ? -128 : -32768;
    for (int q = lowest; q < -lowest; ++q) {
      const double value = 0.25 * (q - scale.zero_point);
      ASSERT_EQ(scale.round_trip(value), value) << q;
    }
  }
}

TEST(QuantizeWeights, KeepsWeightsThatAreIntegersAlready) {
  for (int bits : {8, 4, 2}) {
    const int limit = weight_limit(bits);
    std::vector<float> weights;
    for (int channel = 0; channel < 2; ++channel)
      for (int q = -limit; q <= limit; ++q)
        weights.push_back(float(q) * (channel == 0 ? 0.5F : 0.125F));
    for (WeightObserver observer : {WeightObserver::min_max, WeightObserver::mse}) {
      const QuantizedWeights result = quantize_weights(weights, 2, {bits, observer});
      EXPECT_THAT(result.scales, ElementsAre(0.5F, 0.125F));
      for (std::size_t i = 0; i < weights.size(); ++i)
        EXPECT_EQ(float(result.values[i]) * result.scales[2 * i / weights.size()], weights[i]);
    }
  }
}

TEST(QuantizeWeights, CanShareOneScaleAndLeaveTheRatioUnbounded) {
  const std::array<float, 4> weights{127, 0, 127 / 1024.0F, 0};
  const QuantizedWeights shared = quantize_weights(weights, 2, {.scales = WeightScales::tensor});
  EXPECT_THAT(shared.scales, ElementsAre(1.0F));
  EXPECT_THAT(shared.values, ElementsAre(127, 0, 0, 0));
  const QuantizedWeights unbounded = quantize_weights(weights, 2, {.bounded = false});
  EXPECT_THAT(unbounded.scales, ElementsAre(1.0F, 1 / 1024.0F));
  EXPECT_THAT(unbounded.values, ElementsAre(127, 0, 127, 0));
  EXPECT_EQ(unbounded.raised_channels, 0);
}

TEST(RoundWeights, RoundsHalfToEvenAndClampsToTheWidth) {
  const std::array<float, 6> weights{0.25F, 0.75F, -9, 1, 3, -0.5F};
  const std::array<float, 2> scales{0.5F, 1};
  EXPECT_THAT(round_weights(weights, scales, 4), ElementsAre(0, 2, -7, 1, 3, 0));
  EXPECT_THAT(round_weights(weights, scales, 2), ElementsAre(0, 1, -1, 1, 1, 0));
}

TEST(QuantizeBias, SharesOneScaleWithOneWeightScale) {
  const std::array<float, 2> bias{1.0F, -0.25F};
  const QuantizedBias result = quantize_bias(bias, 0.125F, std::array<float, 1>{0.5F});
  EXPECT_THAT(result.scales, ElementsAre(0.0625F));
  EXPECT_THAT(result.values, ElementsAre(16, -4));
}

TEST(QuantizeWeights, ScalesEveryOutputChannelByItsLargestMagnitude) {
  const std::array<float, 6> weights{1.27F, -0.635F, 0.005F, 0.1F, -0.2F, 0.2F};
  const QuantizedWeights result = quantize_weights(weights, 2);
  ASSERT_EQ(result.scales.size(), 2U);
  EXPECT_FLOAT_EQ(result.scales[0], 0.01F);
  EXPECT_FLOAT_EQ(result.scales[1], 0.2F / 127);
  // -63.5 and 63.5 lie between two integers; either neighbour is a nearest one.
  EXPECT_EQ(result.values[0], 127);
  EXPECT_NEAR(result.values[1], -63.5, 0.5);
  EXPECT_NEAR(result.values[2], 0.5, 0.5);
  EXPECT_NEAR(result.values[3], 63.5, 0.5);
  EXPECT_EQ(result.values[4], -127);
  EXPECT_EQ(result.values[5], 127);
  EXPECT_EQ(result.raised_channels, 0);
}

TEST(QuantizeWeights, BoundsTheRatioOfScalesWithinALayer) {
  // Alone the channels would have the scales 1, 1/64, 1/256, 0.
  const std::array<float, 4> weights{127, 127 / 64.0F, 127 / 256.0F, 0};
  const QuantizedWeights result = quantize_weights(weights, 4);
  EXPECT_THAT(result.scales, ElementsAre(1.0F, 1 / 64.0F, 1 / 128.0F, 1 / 128.0F));
  EXPECT_THAT(result.values, ElementsAre(127, 127, 64, 0));  // 63.5 rounds to even
  EXPECT_EQ(result.raised_channels, 2);
}

TEST(QuantizeWeights, GivesALayerOfZerosTheScaleOne) {
  const std::array<float, 3> weights{};
  const QuantizedWeights result = quantize_weights(weights, 3);
  EXPECT_THAT(result.scales, ElementsAre(1.0F, 1.0F, 1.0F));
  EXPECT_THAT(result.values, ElementsAre(0, 0, 0));
  EXPECT_EQ(result.raised_channels, 0);
}

TEST(QuantizeBias, UsesTheAccumulatorsScale) {
  const std::array<float, 3> bias{1.0F, -0.25F, 1e9F};
  const std::array<float, 3> scales{0.5F, 0.25F, 0.25F};
  const QuantizedBias result = quantize_bias(bias, 0.125F, scales);
  EXPECT_THAT(result.scales, ElementsAre(0.0625F, 0.03125F, 0.03125F));
  EXPECT_THAT(result.values, ElementsAre(16, -8, std::numeric_limits<std::int32_t>::max()));
  EXPECT_EQ(result.saturated_channels, 1);
}

}  // namespace
}  // namespace assay
