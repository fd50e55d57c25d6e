// Codebooks against their definition: one value for many weights.
#include "compress/train/codebook.hpp"

#include <ATen/Functions.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <torch/optim/adamw.h>

#include <set>

#include "compress/train/tensors.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;

const at::Tensor two_by_three = at::zeros({2, 3});

/// Puts the values where an optimizer would have moved them.
void move_to(const Codebook& codebook, const std::vector<float>& values) {
  const c10::NoGradGuard no_gradient;
  codebook.parameter().copy_(at::tensor(values));
}

/// Three steps of the optimizer that trainings use, every weight pulled to +infinity.
void train(const Codebook& codebook) {
  torch::optim::AdamW optimizer({codebook.parameter()}, torch::optim::AdamWOptions(0.05));
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_grad();
    (-codebook.weights().sum()).backward();
    optimizer.step();
  }
}

TEST(RealCodebook, LooksEveryWeightUp) {
  const Codebook codebook = Codebook::of_reals({-1.5F, 0.25F, 3}, {2, 0, 0, 1, 2, 0}, two_by_three);
  EXPECT_EQ(codebook.size(), 3U);
  EXPECT_EQ(codebook.weights().sizes(), two_by_three.sizes());
  EXPECT_THAT(to_vector(codebook.weights()), ElementsAre(3, -1.5F, -1.5F, 0.25F, 3, -1.5F));
  EXPECT_FALSE(codebook.integers());
}

TEST(RealCodebook, GivesAValueTheSumOfItsMembersGradients) {
  const Codebook codebook = Codebook::of_reals({-1.5F, 0, 3}, {2, 0, 0, 1, 2, 0}, two_by_three);
  codebook.weights().backward(
      at::tensor({1.0F, 10.0F, 100.0F, 7.0F, 2.0F, 1000.0F}).reshape({2, 3}));
  // The zeros are pinned: their gradient goes nowhere.
  EXPECT_THAT(to_vector(codebook.parameter().grad()), ElementsAre(1110, 0, 3));
}

TEST(RealCodebook, KeepsZerosThroughTheOptimizer) {
  const Codebook codebook = Codebook::of_reals({-1.5F, 0, 3}, {2, 0, 0, 1, 1, 0}, two_by_three);
  train(codebook);
  const auto weights = to_vector(codebook.weights());
  EXPECT_EQ(weights[3], 0);
  EXPECT_EQ(weights[4], 0);
  EXPECT_GT(weights[0], 3.05F);
  EXPECT_GT(weights[1], -1.45F);
  EXPECT_EQ(weights[1], weights[5]);
  move_to(codebook, {1, 5, 2});  // whatever else may move it
  EXPECT_THAT(to_vector(codebook.weights()), ElementsAre(2, 1, 1, 0, 0, 1));
}

TEST(RealCodebook, OfEqualWeightsIsThoseWeights) {
  const std::vector<float> values{0.5F, -2, 0, 0.5F, 0, 7, -2, 0.5F, 0, 1e-9F, 7, -0.0F,
                                  1,    2,  3, 0.5F, 0, 7, -2, 0.5F, 1, 1,     7, 1};
  const at::Tensor plain = at::tensor(values).reshape({2, 3, 2, 2});
  for (const at::Tensor& weight : {plain, plain.contiguous(at::MemoryFormat::ChannelsLast)}) {
    const Codebook codebook = Codebook::of_equal_reals(weight);
    EXPECT_EQ(codebook.size(), std::set<float>(values.begin(), values.end()).size());
    EXPECT_TRUE(codebook.weights().equal(plain));
    train(codebook);
    const auto trained = to_vector(codebook.weights());
    for (std::size_t i = 0; i < values.size(); ++i)
      for (std::size_t j = 0; j < values.size(); ++j)
        if (values[i] == values[j]) {
          EXPECT_EQ(trained[i], trained[j]) << i << ' ' << j;
        }
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(trained[i] == 0, values[i] == 0) << i;
  }
}

TEST(IntegerCodebook, IsScaledByChannel) {
  const Codebook codebook =
      Codebook::of_integers({-127, 0, 90}, {2, 0, 1, 1, 2, 0}, {0.5F, 0.125F}, two_by_three);
  EXPECT_THAT(to_vector(codebook.weights()), ElementsAre(45, -63.5F, 0, 0, 11.25F, -15.875F));
  ASSERT_TRUE(codebook.integers());
  EXPECT_THAT(codebook.integers()->values, ElementsAre(90, -127, 0, 0, 90, -127));
  EXPECT_THAT(codebook.integers()->scales, ElementsAre(0.5F, 0.125F));
}

TEST(IntegerCodebook, GivesAValueTheScaledSumOfItsMembersGradients) {
  const Codebook codebook =
      Codebook::of_integers({-127, 0, 90}, {2, 0, 1, 1, 2, 0}, {0.5F, 0.125F}, two_by_three);
  codebook.weights().backward(at::tensor({1.0F, 10.0F, 3.0F, 3.0F, 8.0F, 80.0F}).reshape({2, 3}));
  // Values are trained in units of 127: 127 (0.5 * 10 + 0.125 * 80), 127 (0.5 + 0.125 * 8).
  EXPECT_THAT(to_vector(codebook.parameter().grad()), ElementsAre(127 * 15, 0, 127 * 1.5F));
}

TEST(IntegerCodebook, RoundsWhereTheValuesHaveMoved) {
  const Codebook codebook =
      Codebook::of_integers({-127, 0, 3, 4, 90}, {0, 1, 2, 3, 4, 4}, {0.5F, 0.25F}, two_by_three);
  struct Case {
    std::vector<float> moved;  // in steps
    std::vector<std::int8_t> expected;
  };
  const Case cases[] = {
      {{-126.6F, 0, 3.4F, 4.4F, 89.6F}, {-127, 0, 3, 4, 90, 90}},
      {{-126.4F, 0, 3.6F, 4.7F, 89.4F}, {-126, 0, 4, 5, 89, 89}},
      {{-300, 60, 3.4F, 3.1F, 129}, {-127, 0, 3, 3, 127, 127}},  // clamped; pinned; merged
  };
  for (const Case& one : cases) {
    std::vector<float> values = one.moved;
    for (float& value : values)
      value /= 127;
    move_to(codebook, values);
    const auto integers = codebook.integers();
    ASSERT_TRUE(integers);
    EXPECT_EQ(integers->values, one.expected);
    // The forward pass sees exactly what is written down.
    const auto weights = to_vector(codebook.weights());
    for (std::size_t i = 0; i < weights.size(); ++i)
      EXPECT_EQ(weights[i], integers->scales[i / 3] * float(integers->values[i])) << i;
  }
}

TEST(IntegerCodebook, OfIntegerWeightsKeepsEqualOnesEqual) {
  const IntegerWeights weights{{5, -3, 0, 5, 0, 127, -3, 5, -127, 0, 1, 1}, {0.5F, 0.25F, 2}};
  const at::Tensor like = at::zeros({3, 4});
  const Codebook codebook = Codebook::of_integers(weights, like);
  EXPECT_EQ(codebook.size(), 6U);
  EXPECT_EQ(codebook.integers()->values, weights.values);
  const auto reals = to_vector(codebook.weights());
  for (std::size_t i = 0; i < reals.size(); ++i)
    EXPECT_EQ(reals[i], weights.scales[i / 4] * float(weights.values[i]));
  train(codebook);
  const auto trained = codebook.integers()->values;
  EXPECT_NE(trained, weights.values);
  for (std::size_t i = 0; i < trained.size(); ++i)
    for (std::size_t j = 0; j < trained.size(); ++j)
      if (weights.values[i] == weights.values[j]) {
        EXPECT_EQ(trained[i], trained[j]) << i << ' ' << j;
      }
  for (const std::size_t zero : {2, 4, 9})
    EXPECT_EQ(trained[zero], 0);
}

}  // namespace
}  // namespace assay
