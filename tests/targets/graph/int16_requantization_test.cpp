// P, R, m and b' of layers over int16 tensors against exact rounding in double precision, and
// against the ranges that ARITHMETIC.md promises.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "targets/graph/requantization.hpp"

namespace assay {
namespace {

constexpr std::int64_t int32_limit = std::int64_t{1} << 31;

IntegerLayer dense_of(std::vector<std::int8_t> weights) {
  IntegerLayer layer;
  layer.op = IntegerOp::dense;
  layer.weights = std::move(weights);
  layer.clamp_min = -32768;
  layer.clamp_max = 32767;
  return layer;
}

/// ARITHMETIC.md in 64 bits, with the ranges it promises on the way.
int output_of(const Requantization& r, std::size_t channel, std::int64_t acc) {
  const std::int64_t sum = acc + r.bias[channel];
  EXPECT_TRUE(r.accumulator_shift > 0 || std::abs(acc) < int32_limit);
  const std::int64_t shifted = sum >> r.accumulator_shift;
  EXPECT_LT(std::abs(shifted), int32_limit);
  const std::int64_t y = (shifted * r.multiplier[channel]) >> r.output_shift;
  return static_cast<int>(std::clamp<std::int64_t>(y, -32768, 32767));
}

void expect_documented_ranges(const Requantization& r) {
  EXPECT_GE(r.accumulator_shift, 0);
  EXPECT_LE(r.accumulator_shift, 22);
  EXPECT_GE(r.output_shift, 1);
  EXPECT_LE(r.output_shift, 46);
  for (std::int32_t m : r.multiplier)
    EXPECT_GE(m, 1);
}

struct Setting {
  const char* name;
  int inputs;
  double spread;  ///< of the channels' multipliers
  int largest_weight;
  double tolerated_rate;
};

class WideChannelRequantization : public ::testing::TestWithParam<Setting> {};

TEST_P(WideChannelRequantization, StaysInRangeAndRoundsAsExactArithmeticDoes) {
  const Setting setting = GetParam();
  std::mt19937 random(11);
  std::uniform_int_distribution<int> weight(-setting.largest_weight, setting.largest_weight);
  std::uniform_int_distribution<int> element(-32768, 32767);
  std::uniform_real_distribution<double> unit(0, 1);
  constexpr int outputs = 8;
  int off = 0, total = 0;
  for (int trial = 0; trial < 30; ++trial) {
    std::vector<std::int8_t> weights;
    for (int i = 0; i < setting.inputs * outputs; ++i)
      weights.push_back(static_cast<std::int8_t>(weight(random)));
    const double typical =
        std::sqrt(double(setting.inputs)) * 18918 * setting.largest_weight / std::sqrt(3.0) + 1;
    const double top = 16384 * (0.5 + 4 * unit(random)) / typical;
    std::vector<ChannelScaling> channels;
    for (int o = 0; o < outputs; ++o)
      channels.push_back({top * (o == 0 ? 1 : std::pow(setting.spread, -unit(random))),
                          (unit(random) - 0.5) * 30000});
    IntegerLayer layer = dense_of(weights);
    const auto changes = requantize_channels(layer, channels, 0, 0, Element::int16);
    ASSERT_TRUE(changes) << changes.error().message;
    const Requantization& r = layer.requantization;
    expect_documented_ranges(r);
    for (int sample = 0; sample < 20; ++sample) {
      std::vector<int> input(setting.inputs);
      for (int& q : input)
        q = sample < 18 ? element(random) : sample == 18 ? -32768 : 32767;
      for (int o = 0; o < outputs; ++o) {
        std::int64_t acc = 0;
        double exact = 0;  // of the weights as they were
        for (int i = 0; i < setting.inputs; ++i) {
          const int at = o * setting.inputs + i;
          acc += std::int64_t{layer.weights[at]} * input[i];
          exact += double(weights[at]) * input[i];
        }
        const double y = channels[o].multiplier * exact + channels[o].offset;
        const double want = std::clamp(std::floor(y + 0.5), -32768.0, 32767.0);
        const int got = output_of(r, o, acc);
        ASSERT_LE(std::abs(got - want), 1) << "trial " << trial << " channel " << o;
        off += got != want;
        ++total;
      }
    }
  }
  RecordProperty("off_by_one_per_100000", int(1e5 * off / total));
  EXPECT_LE(double(off) / total, setting.tolerated_rate);
}

INSTANTIATE_TEST_SUITE_P(Sizes, WideChannelRequantization,
                         ::testing::Values(Setting{"ordinary", 144, 10, 127, 0.002},
                                           Setting{"depthwise", 9, 30, 127, 0.005},
                                           Setting{"wide_spread", 144, 3000, 127, 0.002},
                                           Setting{"extreme_spread", 64, 1e7, 127, 0.02},
                                           Setting{"sums_in_64_bits", 4000, 100, 127, 0.002},
                                           Setting{"longest_sums", 65536, 10, 127, 0.005},
                                           Setting{"ternary", 144, 10, 1, 0.03},
                                           Setting{"single_input", 1, 10, 127, 0.02}),
                         [](const auto& setting) { return std::string(setting.param.name); });

TEST(WideChannelRequantization, TakesSixtyFourBitsOnlyWhereTheWeightsNeedThem) {
  const auto shift_of = [](int inputs, int weight) {
    IntegerLayer layer = dense_of(std::vector<std::int8_t>(inputs, std::int8_t(weight)));
    EXPECT_TRUE(
        requantize_channels(layer, std::vector<ChannelScaling>{{1e-5, 0}}, 0, 0, Element::int16));
    return layer.requantization.accumulator_shift;
  };
  // 127 * 32768 * 516 = 2 147 352 576, and b' is 50 000.
  EXPECT_EQ(shift_of(516, 127), 0);
  EXPECT_EQ(shift_of(517, 127), 1);
  EXPECT_EQ(shift_of(65534, 1), 0);
  EXPECT_EQ(shift_of(65536, 127), 7);
}

TEST(WideConstantChannels, EveryValueComesOutAtEveryShift) {
  for (const double multiplier : {1e-9, 1e-5, 1e-3, 0.1, 900.0})
    for (int value = -32768; value <= 32767; value += 7) {
      IntegerLayer layer = dense_of({0, 0, 100, -100});
      const std::vector<ChannelScaling> channels = {{0.1, double(value)}, {multiplier, 0}};
      const auto changes = requantize_channels(layer, channels, 0, 0, Element::int16);
      ASSERT_TRUE(changes);
      ASSERT_EQ(output_of(layer.requantization, 0, 0), value) << multiplier;
    }
}

TEST(WideRequantization, RefusesScalesThatAreNoNumbersOrFarTooFine) {
  const double nan = std::nan("");
  for (const ChannelScaling bad : {ChannelScaling{nan, 0}, ChannelScaling{0.1, nan},
                                   ChannelScaling{-0.1, 0}, ChannelScaling{1e10, 0}}) {
    IntegerLayer layer = dense_of({1, 2});
    EXPECT_FALSE(requantize_channels(layer, std::vector{bad}, 0, 0, Element::int16));
  }
  EXPECT_FALSE(requantize_sum(std::vector<SumTerm>{{1e10, 0, 1}}, 0, Element::int16));
  EXPECT_FALSE(requantize_product(1e10, 0, Element::int16));
  EXPECT_FALSE(requantize_parts(std::vector<SumTerm>{{1, 0, 1}, {nan, 0, 1}}, 0, Element::int16));
}

/// Sums, averages, products and parts: one formula, whose multipliers have 31 bits.
TEST(WideSumRequantization, RoundsAsExactArithmeticDoes) {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> element(-32768, 32767);
  std::uniform_real_distribution<double> exponent(-6, 3);
  int off = 0, total = 0;
  const auto compare = [&](std::int64_t sum, const Requantization& r, double exact) {
    const auto got = std::clamp<std::int64_t>((sum + r.bias[0]) >> r.output_shift, -32768, 32767);
    const double want = std::clamp(std::floor(exact + 0.5), -32768.0, 32767.0);
    ASSERT_LE(std::abs(double(got) - want), 1);
    off += double(got) != want;
    ++total;
  };
  for (int trial = 0; trial < 200; ++trial) {
    const std::vector<SumTerm> terms = {{std::exp2(exponent(random)), 0, 1},
                                        {std::exp2(exponent(random)), 0, 1}};
    const auto sum = requantize_sum(terms, 0, Element::int16);
    const auto parts = requantize_parts(terms, 0, Element::int16);
    const auto mean =
        requantize_sum(std::vector<SumTerm>{{terms[0].multiplier / 49, 0, 49}}, 0, Element::int16);
    const double ratio = std::ldexp(terms[1].multiplier, -15);
    const auto product = requantize_product(ratio, 0, Element::int16);
    ASSERT_TRUE(sum && parts && mean && product);
    EXPECT_EQ(sum->bias[0], std::int64_t{1} << (sum->output_shift - 1));
    for (int sample = 0; sample < 500; ++sample) {
      const std::int64_t a = element(random), b = element(random);
      compare(sum->multiplier[0] * a + sum->multiplier[1] * b, *sum,
              terms[0].multiplier * double(a) + terms[1].multiplier * double(b));
      compare(parts->multiplier[1] * b, *parts, terms[1].multiplier * double(b));
      compare(mean->multiplier[0] * (48 * a + b), *mean,
              terms[0].multiplier / 49 * double(48 * a + b));
      compare(product->multiplier[0] * (a * b), *product, ratio * double(a * b));
    }
  }
  EXPECT_LT(double(off) / total, 0.0005);
}

TEST(WidePartsRequantization, KeepsAnInputOfTheSameScale) {
  const auto r =
      requantize_parts(std::vector<SumTerm>{{1.0, 0, 1}, {0.37, 0, 1}}, 0, Element::int16);
  ASSERT_TRUE(r);
  for (std::int64_t q = -32768; q <= 32767; ++q)
    ASSERT_EQ((r->multiplier[0] * q + r->bias[0]) >> r->output_shift, q);
}

}  // namespace
}  // namespace assay
