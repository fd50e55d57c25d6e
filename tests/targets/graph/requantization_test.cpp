// P, R, m and b' against exact rounding (in double, whose 53 bits hold every product here) and
// against the ranges that ARITHMETIC.md promises.
#include "targets/graph/requantization.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace assay {
namespace {

struct Case {
  IntegerLayer layer;
  std::vector<ChannelScaling> channels;
  std::vector<std::int8_t> original_weights;
  int inputs = 0;
  std::int8_t input_zero = 0;
  std::int8_t output_zero = 0;
};

/// A dense layer whose channel multipliers differ by up to `spread`, largest weights +-`largest`.
Case random_case(std::mt19937& random, int inputs, int outputs, double spread, int largest) {
  std::uniform_int_distribution<int> weight(-largest, largest), byte(-128, 127);
  std::uniform_real_distribution<double> unit(0, 1);
  Case c;
  c.inputs = inputs;
  c.input_zero = static_cast<std::int8_t>(byte(random));
  c.output_zero = static_cast<std::int8_t>(byte(random));
  c.layer.op = IntegerOp::dense;
  for (int i = 0; i < inputs * outputs; ++i)
    c.layer.weights.push_back(static_cast<std::int8_t>(weight(random)));
  // The largest channel uses the output's range up to four times over at +-2 deviations.
  const double typical = std::sqrt(double(inputs)) * 74 * largest / std::sqrt(3.0) + 1;
  const double top = 64 * (0.5 + 4 * unit(random)) / typical;
  for (int o = 0; o < outputs; ++o) {
    const double ratio = o == 0 ? 1 : std::pow(spread, -unit(random));
    c.channels.push_back({top * ratio, (unit(random) - 0.5) * 100});
  }
  c.original_weights = c.layer.weights;
  return c;
}

std::int64_t dot(const std::vector<std::int8_t>& weights, int row,
                 const std::vector<std::int8_t>& input) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < input.size(); ++i)
    sum += weights[row * input.size() + i] * input[i];
  return sum;
}

/// ARITHMETIC.md in 64 bits; fails the test where 32 would not have been enough.
int integer_output(const Case& c, int channel, std::int64_t acc) {
  const Requantization& r = c.layer.requantization;
  const std::int64_t sum = acc + r.bias[channel];
  EXPECT_EQ(sum, static_cast<std::int32_t>(sum));
  const std::int64_t scaled = sum >> r.accumulator_shift;
  EXPECT_LT(std::abs(scaled), 1 << 16);
  const std::int64_t product = scaled * r.multiplier[channel];
  EXPECT_EQ(product, static_cast<std::int32_t>(product));
  return static_cast<int>(std::clamp<std::int64_t>(product >> r.output_shift, -128, 127));
}

int exact_output(const Case& c, int channel, const std::vector<std::int8_t>& input) {
  double sum = 0;
  for (int i = 0; i < c.inputs; ++i)
    sum += double(c.original_weights[channel * c.inputs + i]) * (input[i] - c.input_zero);
  const double y = c.channels[channel].multiplier * sum + c.channels[channel].offset;
  return static_cast<int>(std::clamp(std::floor(y + 0.5) + c.output_zero, -128.0, 127.0));
}

void expect_documented_ranges(const Requantization& r) {
  EXPECT_GE(r.accumulator_shift, 0);
  EXPECT_LE(r.accumulator_shift, 15);
  EXPECT_GE(r.output_shift, 1);
  EXPECT_LE(r.output_shift, 23);
  for (std::int32_t m : r.multiplier) {
    EXPECT_GE(m, 1);
    EXPECT_LT(m, 1 << 15);
  }
}

struct Setting {
  const char* name;
  int inputs;
  double spread;
  int largest_weight;
  double tolerated_rate;
};

class ChannelRequantization : public ::testing::TestWithParam<Setting> {};

TEST_P(ChannelRequantization, StaysInRangeAndIsWithinOneStepOfExactRounding) {
  const Setting setting = GetParam();
  std::mt19937 random(7);
  std::uniform_int_distribution<int> byte(-128, 127);
  constexpr int outputs = 16;
  int off = 0, total = 0;
  for (int trial = 0; trial < 60; ++trial) {
    Case c = random_case(random, setting.inputs, outputs, setting.spread, setting.largest_weight);
    const auto changes = requantize_channels(c.layer, c.channels, c.input_zero, c.output_zero);
    ASSERT_TRUE(changes) << changes.error().message;
    const Requantization& r = c.layer.requantization;
    ASSERT_EQ(r.multiplier.size(), std::size_t(outputs));
    expect_documented_ranges(r);
    for (int sample = 0; sample < 20; ++sample) {
      std::vector<std::int8_t> input(setting.inputs);
      // The last samples are the extremes that the ranges must hold for.
      for (auto& q : input)
        q = static_cast<std::int8_t>(sample < 18 ? byte(random) : sample == 18 ? -128 : 127);
      for (int o = 0; o < outputs; ++o) {
        const int got = integer_output(c, o, dot(c.layer.weights, o, input));
        const int want = exact_output(c, o, input);
        ASSERT_LE(std::abs(got - want), 1) << "trial " << trial << " channel " << o;
        off += got != want;
        ++total;
      }
    }
  }
  RecordProperty("off_by_one_per_100000", int(1e5 * off / total));
  EXPECT_LT(double(off) / total, setting.tolerated_rate);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ChannelRequantization,
                         ::testing::Values(Setting{"ordinary", 144, 10, 127, 0.01},
                                           Setting{"depthwise", 9, 30, 127, 0.02},
                                           Setting{"wide_spread", 144, 3000, 127, 0.05},
                                           Setting{"extreme_spread", 64, 1e7, 127, 0.05},
                                           Setting{"few_inputs_extreme_spread", 9, 1e7, 127, 0.05},
                                           Setting{"long_sums", 4000, 100, 127, 0.05},
                                           Setting{"ternary", 144, 10, 1, 0.05},
                                           Setting{"int4", 72, 10, 7, 0.02},
                                           Setting{"single_input", 1, 10, 127, 0.05}),
                         [](const auto& setting) { return std::string(setting.param.name); });

IntegerLayer dense_of(std::vector<std::int8_t> weights) {
  IntegerLayer layer;
  layer.op = IntegerOp::dense;
  layer.weights = std::move(weights);
  return layer;
}

TEST(ConstantChannels, ChannelsWithoutWeightsGiveTheirBias) {
  IntegerLayer layer = dense_of({0, 0, 100, -100});
  const std::vector<ChannelScaling> channels = {{0.0, -17.3}, {0.01, 0}};
  const auto changes = requantize_channels(layer, channels, 5, 3);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->constant, 1);
  const Requantization& r = layer.requantization;
  EXPECT_EQ(((r.bias[0] >> r.accumulator_shift) * r.multiplier[0]) >> r.output_shift, -14);
}

TEST(ConstantChannels, EveryInt8ValueComesOutAtEveryShift) {
  for (double multiplier : {1e-5, 1e-3, 0.1, 5.0, 900.0})
    for (int value = -128; value <= 127; ++value) {
      IntegerLayer layer = dense_of({0, 0, 100, -100});
      const std::vector<ChannelScaling> channels = {{0.1, double(value)}, {multiplier, 0}};
      ASSERT_TRUE(requantize_channels(layer, channels, 0, 0));
      const Requantization& r = layer.requantization;
      EXPECT_EQ(((r.bias[0] >> r.accumulator_shift) * r.multiplier[0]) >> r.output_shift, value);
    }
}

TEST(ConstantChannels, SaturatedChannelsLoseTheirWeights) {
  IntegerLayer layer = dense_of({1, 2, 100, -100});
  const std::vector<ChannelScaling> channels = {{0.01, 5000}, {0.01, 0}};
  const auto changes = requantize_channels(layer, channels, 0, 0);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->constant, 1);
  EXPECT_EQ(layer.weights, (std::vector<std::int8_t>{0, 0, 100, -100}));
}

TEST(Requantization, RefusesScalesThatAreNoNumbersOrFarTooFine) {
  const double nan = std::nan("");
  for (const ChannelScaling bad : {ChannelScaling{nan, 0}, ChannelScaling{0.1, nan},
                                   ChannelScaling{-0.1, 0}, ChannelScaling{1e9, 0}}) {
    IntegerLayer layer = dense_of({1, 2});
    const auto changes = requantize_channels(layer, std::vector{bad}, 0, 0);
    ASSERT_FALSE(changes) << bad.multiplier;
    EXPECT_EQ(changes.error().kind, ErrorKind::bad_input);
  }
  IntegerLayer huge = dense_of(std::vector<std::int8_t>((1 << 16) + 1, 1));
  EXPECT_FALSE(requantize_channels(huge, std::vector<ChannelScaling>{{1e-6, 0}}, 0, 0));
  EXPECT_FALSE(requantize_sum(std::vector<SumTerm>{{nan, 0, 1}}, 0));
  EXPECT_FALSE(requantize_sum(std::vector<SumTerm>{{1e9, 0, 1}}, 0));
}

TEST(SumRequantization, AddIsWithinOneStepForEveryPairOfInputs) {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> byte(-128, 127);
  std::uniform_real_distribution<double> exponent(-5, 3);
  int off = 0, total = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const std::vector<SumTerm> terms = {{std::exp2(exponent(random)), byte(random), 1},
                                        {std::exp2(exponent(random)), byte(random), 1}};
    const int zero = byte(random);
    const auto r = requantize_sum(terms, static_cast<std::int8_t>(zero));
    ASSERT_TRUE(r) << r.error().message;
    for (int a = -128; a <= 127; ++a)
      for (int b = -128; b <= 127; ++b) {
        const std::int64_t sum =
            std::int64_t(r->multiplier[0]) * a + std::int64_t(r->multiplier[1]) * b + r->bias[0];
        ASSERT_EQ(sum, static_cast<std::int32_t>(sum));
        const double exact = terms[0].multiplier * (a - terms[0].zero_point) +
                             terms[1].multiplier * (b - terms[1].zero_point);
        const auto got = std::clamp<std::int64_t>(sum >> r->output_shift, -128, 127);
        const double want = std::clamp(std::floor(exact + 0.5) + zero, -128.0, 127.0);
        ASSERT_LE(std::abs(double(got) - want), 1);
        off += double(got) != want;
        ++total;
      }
  }
  EXPECT_LT(double(off) / total, 0.01);
}

TEST(SumRequantization, AveragesOfEveryWindowStayIn32Bits) {
  for (std::int64_t window : {1, 4, 9, 49, 784, 16384})
    for (int zero : {-128, 0, 127})
      for (double ratio : {0.3, 1.0, 2.0}) {
        const auto r = requantize_sum(std::vector<SumTerm>{{ratio / double(window), zero, window}},
                                      std::int8_t(-zero / 2));
        ASSERT_TRUE(r);
        for (int value = -128; value <= 127; ++value) {
          const std::int64_t product = std::int64_t(r->multiplier[0]) * value * window;
          ASSERT_EQ(product, static_cast<std::int32_t>(product));
          ASSERT_EQ(product + r->bias[0], static_cast<std::int32_t>(product + r->bias[0]));
          const auto got = (product + r->bias[0]) >> r->output_shift;
          const double exact = std::floor(ratio * (value - zero) + 0.5) - zero / 2;
          if (exact < -128 || exact > 127) continue;
          EXPECT_LE(std::abs(double(got) - exact), 1);
        }
      }
}

TEST(ProductRequantization, IsWithinOneStepForEveryPairOfInputs) {
  std::mt19937 random(5);
  std::uniform_int_distribution<int> byte(-128, 127);
  std::uniform_real_distribution<double> exponent(-9, 2);
  for (int trial = 0; trial < 20; ++trial) {
    const double ratio = std::exp2(exponent(random));
    const int first_zero = byte(random), second_zero = byte(random), zero = byte(random);
    const auto r = requantize_product(ratio, static_cast<std::int8_t>(zero));
    ASSERT_TRUE(r) << r.error().message;
    for (int a = -128; a <= 127; ++a)
      for (int b = -128; b <= 127; ++b) {
        const std::int64_t product = std::int64_t(a - first_zero) * (b - second_zero);
        const std::int64_t sum = product * r->multiplier[0] + r->bias[0];
        ASSERT_EQ(sum, static_cast<std::int32_t>(sum));
        const auto got = std::clamp<std::int64_t>(sum >> r->output_shift, -128, 127);
        const double exact = std::floor(ratio * double(product) + 0.5) + zero;
        ASSERT_LE(std::abs(double(got) - std::clamp(exact, -128.0, 127.0)), 1);
      }
  }
}

TEST(ProductRequantization, RefusesScalesOutOfRange) {
  EXPECT_FALSE(requantize_product(std::nan(""), 0));
  EXPECT_FALSE(requantize_product(-1, 0));
  EXPECT_FALSE(requantize_product(8192, 0));
  EXPECT_TRUE(requantize_product(8191, 0));
  EXPECT_TRUE(requantize_product(0, 0));
}

TEST(PartsRequantization, KeepsAnInputOfTheSameScaleAndRoundsTheOther) {
  const std::vector<SumTerm> inputs = {{1.0, 7, 1}, {0.37, -30, 1}};
  const auto r = requantize_parts(inputs, 7);
  ASSERT_TRUE(r) << r.error().message;
  ASSERT_EQ(r->multiplier.size(), 2u);
  ASSERT_EQ(r->bias.size(), 2u);
  for (int q = -128; q <= 127; ++q) {
    EXPECT_EQ((r->multiplier[0] * q + r->bias[0]) >> r->output_shift, q);
    const double exact = std::floor(0.37 * (q + 30) + 0.5) + 7;
    EXPECT_LE(std::abs(((r->multiplier[1] * q + r->bias[1]) >> r->output_shift) - exact), 1);
  }
  EXPECT_FALSE(requantize_parts(std::vector<SumTerm>{{1.0, 0, 1}, {1e6, 0, 1}}, 0));
}

}  // namespace
}  // namespace assay
