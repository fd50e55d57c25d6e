// Masks against ones drawn by hand, and every refusal.
#include "compress/methods/magnitude_pruning.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "tests/compress/methods/read_settings.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using Granularity = MagnitudePruning::Granularity;
using Ranking = MagnitudePruning::Ranking;

constexpr MagnitudePruning two_of_four{.granularity = Granularity::n_of_m};

std::string drawn(const LayerMask& mask) {
  std::string text;
  for (const auto keep : mask.keep)
    text += keep ? '#' : '.';
  return text;
}

struct Case {
  const char* name;
  MagnitudePruning pruning;
  double sparsity;
  std::vector<std::int64_t> shape;
  std::vector<float> weights;
  const char* expected;
};

class Masks : public ::testing::TestWithParam<Case> {};

TEST_P(Masks, AreAsDrawnByHand) {
  const Case& c = GetParam();
  const std::vector<PrunableLayer> layers{{"layer", c.shape, c.weights}};
  const auto masks = magnitude_masks(layers, c.pruning, c.sparsity);
  ASSERT_TRUE(masks) << masks.error().message;
  ASSERT_EQ(masks->size(), 1U);
  EXPECT_EQ(drawn(masks->front()), c.expected);
  EXPECT_EQ(masks->front().zeros(), std::ranges::count(std::string(c.expected), '.'));
  EXPECT_EQ(masks->front().weights(), std::int64_t(c.weights.size()));
}

std::vector<Case> cases() {
  const MagnitudePruning weights;
  const MagnitudePruning blocks{.granularity = Granularity::block_1x4};
  const MagnitudePruning filters{.granularity = Granularity::filter};
  const std::vector<float> eight_zeros(8, 0);
  return {
      {"SmallestMagnitudes", weights, 0.5, {2, 3}, {1, -6, 2, -3, 5, 4}, ".#..##"},
      {"NothingAtZero", weights, 0, {1, 4}, {0, 0, 0, 1}, "####"},
      {"OneAlwaysStays", weights, 0.999, {1, 4}, {3, 1, 4, 2}, "..#."},
      // 5 * (1 - 0.5) = 2.5 rounds to 3 that stay.
      {"HalvesRoundUp", weights, 0.5, {1, 5}, {1, 2, 3, 4, 5}, "..###"},
      {"EqualWeights", weights, 0.75, {2, 4}, std::vector<float>(8, -2), "......##"},
      {"AllZero", weights, 0.5, {2, 4}, eight_zeros, "....####"},
      // The means are 4, 3.5 (half of the next), 5, 0.25.
      {"Blocks",
       blocks,
       0.5,
       {2, 8},
       {4, 4, 4, 4, 0, 0, 14, 0, 5, 5, 5, 5, 1, 0, 0, 0},
       "####....####...."},
      // Input channels 0..3 and 4..5, at two kernel positions: sums 1 + 3 + 5 + 7 = 16,
      // 2 + 4 + 6 + 8 = 20, 9 + 1 = 10 and 0 + 9 = 9; the means are 4, 5, 5 and 4.5. The first
      // block goes: 8 that stay are nearer to 0.7 * 12 = 8.4 than 6.
      {"BlocksAcrossAKernel",
       blocks,
       0.3,
       {1, 6, 1, 2},
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 9},
       ".#.#.#.#####"},
      // 2 or 6 zeros are equally far from the 4 of one half: fewer are taken.
      {"BlocksOfTwoEquallyNearCounts", blocks, 0.5, {1, 8}, {1, 1, 1, 1, 2, 2, 2, 2}, "....####"},
      {"ABlockIsNotSplit", blocks, 0.25, {1, 8}, {1, 1, 1, 1, 2, 2, 2, 2}, "########"},
      {"BlocksOfOneChannel", blocks, 0.5, {2, 1, 1, 2}, {1, 4, 3, 2}, ".##."},
      {"OneBlockStays", blocks, 0.9, {1, 8}, {9, 9, 9, 9, 2, 2, 2, 2}, "####...."},
      {"TwoOfFour", two_of_four, 0.5, {2, 4}, {1, 2, 3, 4, 8, -7, -6, 5}, "..####.."},
      {"TwoOfFourEqual", two_of_four, 0.5, {1, 8}, eight_zeros, "..##..##"},
      {"OnTheWayToTwoOfFour", two_of_four, 0.25, {1, 8}, {4, 1, 2, 3, 8, 7, 6, 5}, "#.#####."},
      // A group of 3 has 3 * 2 / 4, rounded down.
      {"TwoOfFourShortGroup", two_of_four, 0.5, {1, 7}, {1, 2, 3, 4, 3, 2, 1}, "..####."},
      // The groups run over input channels, so each kernel position has its own.
      {"TwoOfFourAcrossAKernel",
       two_of_four,
       0.5,
       {1, 4, 1, 2},
       {1, 8, 2, 7, 3, 6, 4, 5},
       ".#.##.#."},
      {"TwoOfFourOfOneChannel", two_of_four, 0.5, {4, 1}, {1, 2, 3, 4}, "####"},
      {"SevenOfEight",
       {.granularity = Granularity::n_of_m, .zeros = 7, .group = 8},
       0.875,
       {1, 8},
       {1, 2, 3, 9, 5, 6, 7, 8},
       "...#...."},
      // L1 norms 6, 5, 7: the second goes although it has the largest weight.
      {"Filters", filters, 0.3, {3, 3}, {2, 2, 2, 5, 0, 0, 3, 2, 2}, "###...###"},
      {"OneFilterStays", filters, 0.9, {2, 1, 1, 2}, {1, 1, 1, 1}, "..##"},
  };
}

INSTANTIATE_TEST_SUITE_P(MagnitudePruning, Masks, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(MagnitudePruning, GloballyTheSmallestOfAllLayersGo) {
  const std::vector<float> small{1, 2, 3, 4}, large{10, 20, 3.5, 40, 50, 60};
  const std::vector<PrunableLayer> layers{{"small", {1, 4}, small}, {"large", {1, 6}, large}};
  const auto masks = magnitude_masks(layers, {.ranking = Ranking::global}, 0.4);
  ASSERT_TRUE(masks);
  EXPECT_EQ(drawn((*masks)[0]), "...#");
  EXPECT_EQ(drawn((*masks)[1]), "##.###");
}

TEST(MagnitudePruning, GloballyNoLayerIsEmptied) {
  const std::vector<float> small{1, 2, 3, 4}, large{10, 20, 30, 40, 50, 60};
  const std::vector<PrunableLayer> layers{{"small", {1, 4}, small}, {"large", {1, 6}, large}};
  const auto masks = magnitude_masks(layers, {.ranking = Ranking::global}, 0.5);
  ASSERT_TRUE(masks);
  EXPECT_EQ(drawn((*masks)[0]), "...#");
  EXPECT_EQ(drawn((*masks)[1]), "..####");
  // One weight of each layer stays, though one of both was asked for.
  const auto most = magnitude_masks(layers, {.ranking = Ranking::global}, 0.99);
  ASSERT_TRUE(most);
  EXPECT_EQ(drawn((*most)[0]), "...#");
  EXPECT_EQ(drawn((*most)[1]), ".....#");
}

TEST(MagnitudePruning, WhatWasPrunedStaysPruned) {
  const std::vector<float> weights{9, 8, 1, 2, 3, 4, 5, 6};
  const std::vector<PrunableLayer> layers{{"layer", {1, 8}, weights}};
  const std::vector<LayerMask> previous{{"layer", {0, 1, 1, 0, 1, 1, 1, 1}}};
  const auto masks = magnitude_masks(layers, {}, 0.5, previous);
  ASSERT_TRUE(masks) << masks.error().message;
  EXPECT_EQ(drawn(masks->front()), ".#...###");
  const auto fewer = magnitude_masks(layers, {}, 0.125, previous);
  ASSERT_TRUE(fewer);
  EXPECT_EQ(drawn(fewer->front()), ".##.####");
  const auto groups = magnitude_masks(layers, two_of_four, 0.5, previous);
  ASSERT_TRUE(groups);
  EXPECT_EQ(drawn(groups->front()), ".##...##");
}

TEST(MagnitudePruning, RefusesWhatItCannotPrune) {
  const std::vector<float> good{1, 2, 3, 4}, none;
  const std::vector<float> nan{1, std::nanf(""), 3, 4};
  const std::vector<float> infinite{1, 2, std::numeric_limits<float>::infinity(), 4};
  const auto message = [](const PrunableLayer& layer, MagnitudePruning pruning = {},
                          double sparsity = 0.5, std::vector<LayerMask> previous = {}) {
    const auto masks = magnitude_masks({&layer, 1}, pruning, sparsity, previous);
    EXPECT_FALSE(masks);
    if (masks) return std::string();
    EXPECT_EQ(masks.error().kind, ErrorKind::bad_input);
    return masks.error().message;
  };
  EXPECT_THAT(message({"c", {1, 4}, good}, {}, 1), HasSubstr("a sparsity of 1: expected 0 to"));
  EXPECT_THAT(message({"c", {1, 4}, good}, {}, -0.1), HasSubstr("a sparsity of -0.1"));
  EXPECT_THAT(message({"c", {1, 4}, good}, {}, NAN), HasSubstr("a sparsity of nan"));
  EXPECT_THAT(message({"c", {1, 4}, good}, two_of_four, 0.75),
              HasSubstr("a sparsity of 0.75: 2:4 ends at 0.5"));
  EXPECT_THAT(message({"c", {0, 4}, none}), HasSubstr("layer 'c': it has no weights"));
  EXPECT_THAT(message({"c", {2, 4}, good}), HasSubstr("8 weights with output and input channels"));
  EXPECT_THAT(message({"c", {4}, good}), HasSubstr("1 dimensions"));
  EXPECT_THAT(message({"c", {1, 4}, nan}), HasSubstr("layer 'c': weight 1 is nan"));
  EXPECT_THAT(message({"c", {1, 4}, infinite}), HasSubstr("weight 2 is inf"));
  EXPECT_THAT(message({"c", {1, 4}, good}, {}, 0.5, {{"d", {1, 1, 1, 1}}}),
              HasSubstr("previous masks belong to other layers"));
  EXPECT_THAT(message({"c", {1, 4}, good}, {}, 0.5, {{"c", {1, 1, 1}}}),
              HasSubstr("previous masks belong to other layers"));
}

TEST(MagnitudePruning, WritesWhatItReads) {
  for (const char* text : {R"({"granularity": "unstructured", "ranking": "global"})",
                           R"({"granularity": "block-1x4", "ranking": "layer"})",
                           R"({"granularity": "filter", "ranking": "layer"})",
                           R"({"granularity": "2:4"})", R"({"granularity": "15:16"})"})
    EXPECT_EQ(to_json(test::read_settings(text, read_magnitude_pruning)), Json::parse(text));
  EXPECT_EQ(to_json(test::read_settings("{}", read_magnitude_pruning)),
            to_json(MagnitudePruning{}));
}

TEST(MagnitudePruning, FixesTheSparsityOfGroupsAlone) {
  EXPECT_EQ(
      fixed_sparsity(test::read_settings(R"({"granularity": "3:4"})", read_magnitude_pruning)),
      0.75);
  EXPECT_EQ(fixed_sparsity({}), std::nullopt);
}

TEST(MagnitudePruning, AnswersBadSettingsWithTheField) {
  for (const char* bad : {"0:4", "4:4", "5:4", "2:", ":4", "a:b", "2:4x", "2:4:8", "-1:4", "2:257"})
    EXPECT_THAT(
        test::problem_of_settings(Json{{"granularity", bad}}.dump(), read_magnitude_pruning),
        HasSubstr("granularity: expected zeros and group as in \"2:4\""))
        << bad;
  EXPECT_THAT(test::problem_of_settings(R"({"granularity": "row"})", read_magnitude_pruning),
              HasSubstr("granularity: expected one of unstructured, block-1x4, filter"));
  EXPECT_THAT(test::problem_of_settings(R"({"granularity": 2})", read_magnitude_pruning),
              HasSubstr("granularity: expected text"));
  EXPECT_THAT(test::problem_of_settings(R"({"ranking": "all"})", read_magnitude_pruning),
              HasSubstr("ranking: expected one of layer, global"));
}

}  // namespace
}  // namespace assay
