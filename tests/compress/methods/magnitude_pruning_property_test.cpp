// Masks of random layers against pruning one unit at a time, each time the smallest that is left.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "compress/methods/magnitude_pruning.hpp"

namespace assay {
namespace {

using Granularity = MagnitudePruning::Granularity;
using Ranking = MagnitudePruning::Ranking;

struct Layer {
  std::vector<std::int64_t> shape;
  std::vector<float> weights;
};

class RandomLayers {
 public:
  explicit RandomLayers(unsigned seed) : random_(seed) {}

  std::vector<Layer> layers(int count) {
    std::vector<Layer> layers(static_cast<std::size_t>(count));
    for (Layer& layer : layers) {
      layer.shape = {up_to(7), up_to(13)};
      if (random_() % 2) layer.shape.insert(layer.shape.end(), {up_to(3), up_to(3)});
      std::int64_t size = 1;
      for (const auto extent : layer.shape)
        size *= extent;
      layer.weights.resize(std::size_t(size));
      change(layer);
    }
    return layers;
  }
  /// New weights: few different magnitudes, so that there are many ties.
  void change(Layer& layer) {
    for (float& weight : layer.weights)
      weight = float(int(random_() % 15) - 7);
  }
  double sparsity() { return double(random_() % 1000) / 1000; }
  std::int64_t up_to(std::uint32_t most) { return 1 + random_() % most; }

 private:
  std::mt19937 random_;
};

std::vector<PrunableLayer> views_of(const std::vector<Layer>& layers) {
  std::vector<PrunableLayer> views;
  for (std::size_t i = 0; i < layers.size(); ++i)
    views.push_back({"layer" + std::to_string(i), layers[i].shape, layers[i].weights});
  return views;
}

/// The weights of each unit, by the unit's first weight.
std::map<std::size_t, std::vector<std::size_t>> units_of(const Layer& layer, Granularity kind) {
  const auto in = std::size_t(layer.shape[1]);
  const std::size_t positions = layer.weights.size() / std::size_t(layer.shape[0]) / in;
  std::map<std::size_t, std::vector<std::size_t>> units;
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    const std::size_t position = i % positions;
    const std::size_t channel = i / positions % in;
    const std::size_t row = i / positions / in * in;
    const std::size_t of_block = (row + channel / 4 * 4) * positions + position;
    const std::size_t of_filter = row * positions;
    units[kind == Granularity::filter      ? of_filter
          : kind == Granularity::block_1x4 ? of_block
                                           : i]
        .push_back(i);
  }
  return units;
}

/// The definition: take the smallest unit that is not the last of its layer, as long as that brings
/// the zeros nearer to the target.
std::vector<std::vector<std::uint8_t>> pruned_one_by_one(
    const std::vector<Layer>& layers, Granularity kind, double sparsity,
    std::vector<std::vector<std::uint8_t>> keep) {
  struct Unit {
    std::size_t layer;
    std::vector<std::size_t> weights;
    double score;
    std::int64_t alive;
  };
  std::vector<Unit> units;  // in order of layer and position
  std::int64_t all = 0, zeros = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    all += std::int64_t(layers[i].weights.size());
    zeros += std::ranges::count(keep[i], 0);
    for (const auto& [first, weights] : units_of(layers[i], kind)) {
      Unit unit{i, weights, 0, 0};
      for (const auto at : weights) {
        unit.score += keep[i][at] * std::abs(layers[i].weights[at]) / double(weights.size());
        unit.alive += keep[i][at];
      }
      if (unit.alive > 0) units.push_back(unit);
    }
  }
  const std::int64_t target =
      all - std::max<std::int64_t>(1, std::llround(double(all) * (1 - sparsity)));
  for (;;) {
    std::map<std::size_t, int> left;
    for (const Unit& unit : units)
      ++left[unit.layer];
    auto smallest = units.end();
    for (auto unit = units.begin(); unit != units.end(); ++unit)
      if (left[unit->layer] > 1 &&
          (smallest == units.end() || unit->score < smallest->score - 1e-9))
        smallest = unit;
    if (smallest == units.end()) return keep;
    if (std::abs(zeros + smallest->alive - target) >= std::abs(zeros - target)) return keep;
    for (const auto at : smallest->weights)
      keep[smallest->layer][at] = 0;
    zeros += smallest->alive;
    units.erase(smallest);
  }
}

std::vector<std::vector<std::uint8_t>> keeps_of(const std::vector<LayerMask>& masks) {
  std::vector<std::vector<std::uint8_t>> keeps;
  for (const LayerMask& mask : masks)
    keeps.push_back(mask.keep);
  return keeps;
}

std::vector<std::vector<std::uint8_t>> all_kept(const std::vector<Layer>& layers) {
  std::vector<std::vector<std::uint8_t>> keeps;
  for (const Layer& layer : layers)
    keeps.emplace_back(layer.weights.size(), 1);
  return keeps;
}

class PruningProperties : public ::testing::TestWithParam<Granularity> {};

TEST_P(PruningProperties, GloballyIsPruningOneByOne) {
  RandomLayers random(1);
  for (int trial = 0; trial < 60; ++trial) {
    auto layers = random.layers(int(random.up_to(4)));
    auto expected = all_kept(layers);
    std::vector<LayerMask> masks;
    // Twice: the second time some weights are pruned already, and the others have moved.
    for (int update = 0; update < 2; ++update) {
      const double sparsity = random.sparsity();
      expected = pruned_one_by_one(layers, GetParam(), sparsity, expected);
      const auto result =
          magnitude_masks(views_of(layers), {GetParam(), Ranking::global}, sparsity, masks);
      ASSERT_TRUE(result) << result.error().message;
      masks = *result;
      ASSERT_EQ(keeps_of(masks), expected) << trial;
      for (Layer& layer : layers)
        random.change(layer);
    }
  }
}

TEST_P(PruningProperties, ByLayerIsPruningEachByItself) {
  RandomLayers random(2);
  for (int trial = 0; trial < 60; ++trial) {
    const auto layers = random.layers(3);
    const double sparsity = random.sparsity();
    const auto masks = magnitude_masks(views_of(layers), {GetParam(), Ranking::layer}, sparsity);
    ASSERT_TRUE(masks);
    for (std::size_t i = 0; i < layers.size(); ++i)
      ASSERT_EQ((*masks)[i].keep,
                pruned_one_by_one({layers[i]}, GetParam(), sparsity, all_kept({layers[i]}))[0]);
  }
}

INSTANTIATE_TEST_SUITE_P(MagnitudePruning, PruningProperties,
                         ::testing::Values(Granularity::unstructured, Granularity::block_1x4,
                                           Granularity::filter));

TEST(MagnitudePruning, MeetsTheTargetToTheWeightAndLeavesTheLargest) {
  RandomLayers random(3);
  for (int trial = 0; trial < 300; ++trial) {
    const auto layers = random.layers(1);
    const auto& weights = layers[0].weights;
    const double sparsity = random.sparsity();
    const auto masks = magnitude_masks(views_of(layers), {}, sparsity);
    ASSERT_TRUE(masks);
    const auto size = std::int64_t(weights.size());
    EXPECT_EQ(size - (*masks)[0].zeros(),
              std::max<std::int64_t>(std::llround(double(size) * (1 - sparsity)), 1));
    float largest_pruned = 0, smallest_kept = 8;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const float magnitude = std::abs(weights[i]);
      if ((*masks)[0].keep[i])
        smallest_kept = std::min(smallest_kept, magnitude);
      else
        largest_pruned = std::max(largest_pruned, magnitude);
    }
    EXPECT_LE(largest_pruned, smallest_kept);
  }
}

TEST(MagnitudePruning, GroupsHaveTheirZerosAtTheirSmallest) {
  RandomLayers random(4);
  for (int trial = 0; trial < 200; ++trial) {
    const auto layers = random.layers(1);
    const auto& [shape, weights] = layers[0];
    const int group = 2 + trial % 5;
    const int zeros = 1 + trial % (group - 1);
    const auto masks = magnitude_masks(
        views_of(layers), {.granularity = Granularity::n_of_m, .zeros = zeros, .group = group},
        double(zeros) / group);
    ASSERT_TRUE(masks);
    const auto in = std::size_t(shape[1]);
    const std::size_t positions = weights.size() / std::size_t(shape[0]) / in;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::size_t channel = i / positions % in;
      const std::size_t start = channel / std::size_t(group) * std::size_t(group);
      const std::size_t end = std::min(start + std::size_t(group), in);
      std::size_t smaller = 0;
      for (std::size_t other = start; other < end; ++other) {
        const std::size_t at = i + other * positions - channel * positions;
        smaller += std::pair(std::abs(weights[at]), at) < std::pair(std::abs(weights[i]), i);
      }
      const std::size_t pruned = (end - start) * std::size_t(zeros) / std::size_t(group);
      EXPECT_EQ((*masks)[0].keep[i], smaller >= pruned) << i;
    }
  }
}

}  // namespace
}  // namespace assay
