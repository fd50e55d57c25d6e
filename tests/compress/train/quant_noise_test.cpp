// Noise of quantization, pass by pass. The small network has rows of 9 weights in "conv" and of 256
// in "dense".
#include "compress/train/quant_noise.hpp"

#include <ATen/Functions.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "compress/train/tensors.hpp"
#include "tests/compress/train/method_training.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing_models::initial;
using testing_models::reals;
using testing_models::trainable;
using testing_models::value_of;
using Kind = NoiseSettings::Kind;

constexpr std::size_t dense = 1;  // place among the layers

NoiseSettings noise(Kind kind, double p = 0.5, int block = 8) {
  NoiseSettings settings;
  settings.kind = kind;
  settings.p = p;
  settings.block = block;
  settings.product = {block, 12, 20};
  return settings;
}

std::unique_ptr<QuantNoise> method(const TrainableNetwork& network, const NoiseSettings& settings,
                                   std::uint64_t seed = 1) {
  return value_of(QuantNoise::create(network, settings, seed));
}

class Noise : public testing_models::MethodTraining {
 protected:
  /// One pass of a step over the dense weights.
  std::vector<float> pass(QuantNoise& noise, std::int64_t step) const {
    EXPECT_TRUE(noise.begin_step(step, 1000));
    return to_vector(noise.weight(dense, weight()));
  }
  const at::Tensor& weight() const { return network_.layers()[dense].weight; }

  TrainableNetwork network_ = trainable(initial(1));
};

TEST_F(Noise, QuantizesWholeBlocksWithItsProbability) {
  const auto plain = to_vector(weight());
  for (const Kind kind : {Kind::int8, Kind::int4, Kind::product})
    for (const double p : {0.1, 0.5, 1.0}) {
      SCOPED_TRACE(p);
      const auto noisy = method(network_, noise(kind, p));
      ASSERT_TRUE(noisy->begin_step(0, 1000));
      noisy->set_training(false);
      const auto quantized = to_vector(noisy->weight(dense, weight()));
      noisy->set_training(true);
      int chosen = 0;
      double draws = 0;
      for (int step = 0; step < 50; ++step) {
        const auto seen = pass(*noisy, step);
        for (std::size_t block = 0; block < seen.size(); block += 8) {
          const auto of = [&](const std::vector<float>& values) {
            return std::vector<float>(values.begin() + std::ptrdiff_t(block),
                                      values.begin() + std::ptrdiff_t(block) + 8);
          };
          if (of(quantized) == of(plain)) continue;  // a codeword with one member
          ++draws;
          if (of(seen) == of(plain)) continue;
          ASSERT_EQ(of(seen), of(quantized)) << "block " << block << " in step " << step;
          ++chosen;
        }
      }
      EXPECT_GT(draws, 1600);
      EXPECT_NEAR(chosen / draws, p, 4 * std::sqrt(p * (1 - p) / draws));
    }
}

TEST_F(Noise, EvaluationQuantizesAllToTheGridOfEachChannel) {
  for (const auto& [kind, limit] : {std::pair{Kind::int8, 127.0F}, std::pair{Kind::int4, 7.0F}}) {
    // Few weights share a scale here, so the largest magnitude decides it at 8 bits.
    const auto noisy = method(network_, noise(kind, 0.1));
    ASSERT_TRUE(noisy->begin_step(0, 1000));
    noisy->set_training(false);
    const auto plain = to_vector(weight());
    const auto seen = to_vector(noisy->weight(dense, weight()));
    const auto scales = to_vector(noisy->state().at("1"));
    ASSERT_EQ(scales.size(), 2U);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const float scale = scales[i / 256];
      const float q = std::clamp(std::nearbyint(plain[i] / scale), -limit, limit);
      EXPECT_NEAR(seen[i], scale * q, 1e-6) << i;
    }
    if (kind == Kind::int8) {
      for (int row = 0; row < 2; ++row)
        EXPECT_FLOAT_EQ(scales[std::size_t(row)], weight()[row].abs().max().item<float>() / 127);
    }
  }
}

TEST_F(Noise, NeverTouchesTheWeightsAndPassesTheGradientStraightThrough) {
  for (const Kind kind : {Kind::int8, Kind::int4, Kind::product}) {
    const auto before = to_vector(weight());
    const auto noisy = method(network_, noise(kind));
    ASSERT_TRUE(noisy->begin_step(0, 1000));
    const at::Tensor leaf = weight().detach().clone().requires_grad_(true);
    const at::Tensor gradient = at::linspace(-1, 1, 512).reshape({2, 256});
    noisy->weight(dense, leaf).backward(gradient);
    EXPECT_TRUE(leaf.grad().equal(gradient));
    EXPECT_EQ(to_vector(weight()), before);
    EXPECT_EQ(to_vector(leaf), before);
    noisy->end_step();
    EXPECT_EQ(to_vector(weight()), before);
  }
}

TEST_F(Noise, DependsOnSeedAndStepAlone) {
  const auto one = method(network_, noise(Kind::int8), 7);
  const auto same = method(network_, noise(Kind::int8), 7);
  const auto other = method(network_, noise(Kind::int8), 8);
  const auto first = pass(*one, 0);
  EXPECT_EQ(pass(*same, 0), first);
  EXPECT_NE(pass(*other, 0), first);
  const auto fifth = pass(*one, 5);
  EXPECT_NE(fifth, first);
  EXPECT_EQ(pass(*same, 5), fifth);  // whatever was drawn before
}

TEST_F(Noise, ScalarNoiseLeavesRealWeights) {
  const auto noisy = method(network_, noise(Kind::int4, 1));
  ASSERT_TRUE(train(network_, *noisy));
  EXPECT_GT(accuracy_, 0.9);
  const auto weights = reals(written(network_, *noisy), "dense.weight");
  EXPECT_EQ(weights, to_vector(weight()));
  EXPECT_GT(std::set<float>(weights.begin(), weights.end()).size(), 500U);
}

TEST_F(Noise, ProductQuantizationLeavesItsCodewords) {
  const auto noisy = method(network_, noise(Kind::product, 0.2));
  ASSERT_TRUE(train(network_, *noisy));
  EXPECT_GT(accuracy_, 0.9);
  const auto own = to_vector(weight());
  const auto weights = reals(written(network_, *noisy), "dense.weight");
  EXPECT_EQ(to_vector(weight()), own);  // writing changes nothing
  std::map<std::vector<float>, std::vector<std::vector<float>>> members;
  for (std::size_t i = 0; i < weights.size(); i += 8) {
    const auto at = std::ptrdiff_t(i);
    members[{weights.begin() + at, weights.begin() + at + 8}].push_back(
        {own.begin() + at, own.begin() + at + 8});
  }
  EXPECT_LE(members.size(), 12U);
  EXPECT_GT(members.size(), 6U);
  // A codeword is the mean of the blocks it stands for.
  for (const auto& [codeword, blocks] : members)
    for (std::size_t j = 0; j < 8; ++j) {
      double mean = 0;
      for (const auto& block : blocks)
        mean += block[j] / double(blocks.size());
      EXPECT_NEAR(codeword[j], mean, 1e-6);
    }
}

TEST_F(Noise, LeavesOutAndReportsRowsThatAreNotWholeBlocks) {
  const auto noisy = method(network_, noise(Kind::product));
  EXPECT_EQ(noisy->report()["layers"], Json::array({"dense"}));
  EXPECT_EQ(noisy->report()["left_out"]["conv"], "its rows of 9 weights are not whole blocks of 8");
  ASSERT_TRUE(noisy->begin_step(0, 1000));
  const at::Tensor& conv = network_.layers()[0].weight;
  EXPECT_TRUE(noisy->weight(0, conv).equal(conv));
  EXPECT_TRUE(noisy->final_weight(0, conv).equal(conv));
  // Scalar noise takes the last, shorter block as it is.
  EXPECT_EQ(method(network_, noise(Kind::int8))->report()["layers"],
            Json::array({"conv", "dense"}));
}

// Not even the codewords of product quantization may replace what is frozen.
TEST_F(Noise, LeavesFrozenLayersAsTheyAre) {
  for (const Kind kind : {Kind::int8, Kind::product}) {
    TrainableNetwork network = trainable(initial(1));
    network.freeze(dense);
    const auto noisy = method(network, noise(kind, 1, 9));
    EXPECT_EQ(noisy->report()["layers"], Json::array({"conv"}));
    EXPECT_EQ(noisy->report()["left_out"], (Json{{"dense", "it is frozen"}}));
    ASSERT_TRUE(train(network, *noisy));
    const onnx::Model model = written(network, *noisy);
    EXPECT_EQ(reals(model, "dense.weight"), reals(initial(1), "dense.weight"));
    EXPECT_NE(reals(model, "conv.weight"), reals(initial(1), "conv.weight"));
    network.freeze(0);
    const auto none = QuantNoise::create(network, noise(kind), 1);
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message, HasSubstr("can have noise, 'conv' because it is frozen"));
  }
}

TEST_F(Noise, RefusesLayersItCannotReach) {
  struct Case {
    const char* layer;
    int block;
    const char* message;
  };
  for (const Case& one : {Case{"dance", 8, "dance"}, Case{"conv", 8, "whole blocks of 8"},
                          Case{"dense", 7, "whole blocks of 7"}}) {
    NoiseSettings settings = noise(Kind::product, 0.5, one.block);
    settings.layers = {LayerPolicy::Rule::named, {one.layer}, {}};
    const auto created = QuantNoise::create(network_, settings, 1);
    ASSERT_FALSE(created) << one.layer;
    EXPECT_EQ(created.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(created.error().message, HasSubstr(one.message));
  }
}

TEST_F(Noise, FindsItsNumbersAnewAtTheirTime) {
  for (const Kind kind : {Kind::int8, Kind::product}) {
    NoiseSettings settings = noise(kind);
    settings.refresh = 3;
    const auto noisy = method(network_, settings);
    const auto numbers = [&] { return to_vector(noisy->state().at("1")); };
    std::vector<float> last;
    for (std::int64_t step = 0; step < 7; ++step) {
      ASSERT_TRUE(noisy->begin_step(step, 7));
      EXPECT_EQ(numbers() != last, step % 3 == 0) << step;
      last = numbers();
      const c10::NoGradGuard no_gradient;
      at::Tensor moved = weight();
      moved.mul_(1.25);
    }
  }
}

// Even long before the numbers of the training are found anew.
TEST_F(Noise, EvaluatesTheNetworkThatWouldBeWrittenNow) {
  const auto noisy = method(network_, noise(Kind::product));
  ASSERT_TRUE(noisy->begin_step(0, 1000));
  {
    const c10::NoGradGuard no_gradient;
    at::Tensor moved = weight();
    moved.copy_(at::linspace(-1, 2, 512).cos().reshape({2, 256}));
  }
  noisy->set_training(false);
  const auto evaluated = to_vector(noisy->weight(dense, weight()));
  const auto final = to_vector(noisy->final_weight(dense, weight()));
  for (std::size_t i = 0; i < final.size(); ++i)
    EXPECT_NEAR(evaluated[i], final[i], 1e-6) << i;
}

TEST_F(Noise, GoesOnWithTheSameBits) {
  for (const Kind kind : {Kind::int8, Kind::product}) {
    NoiseSettings settings = noise(kind);
    settings.refresh = 5;  // not where the pause is
    expect_same_when_resumed(initial(3),
                             [&](TrainableNetwork& network) { return method(network, settings); });
  }
}

}  // namespace
}  // namespace assay
