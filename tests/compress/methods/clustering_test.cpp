// Codebooks of small layers against ones found by hand, and what must hold for random ones.
#include "compress/methods/clustering.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <random>
#include <set>

#include "tests/compress/methods/read_settings.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Floats = std::vector<float>;
using Per = ClusterSettings::Per;
using Scale = ClusterSettings::Scale;

TEST(Clustering, OneCodebookServesTheLayer) {
  const Floats weights{1, 3, 11, 13, 2, 12};
  const auto layer = cluster_layer(weights, 2, {}, {.k = 2, .scale = Scale::none}, 1);
  ASSERT_TRUE(layer) << layer.error().message;
  EXPECT_THAT(layer->codebooks, ElementsAre(ElementsAre(2, 12)));
  EXPECT_THAT(layer->assignment, ElementsAre(0, 0, 1, 1, 0, 1));
  EXPECT_EQ(layer->squared_error, 4);
  EXPECT_EQ(layer->largest_codebook, 2);
  EXPECT_EQ(layer->merged, 0);
  EXPECT_FALSE(layer->left_out);
  EXPECT_THAT(clustered_weights(*layer, 2, {}), ElementsAre(2, 2, 12, 12, 2, 12));
}

TEST(Clustering, EachChannelHasItsOwn) {
  const Floats weights{1, 3, 11, 5, 5, 5};
  const auto layer =
      cluster_layer(weights, 2, {}, {.k = 2, .per = Per::channel, .scale = Scale::none}, 1);
  ASSERT_TRUE(layer);
  EXPECT_THAT(layer->codebooks, ElementsAre(ElementsAre(2, 11), ElementsAre(5)));
  EXPECT_EQ(layer->largest_codebook, 2);
  EXPECT_THAT(clustered_weights(*layer, 2, {}), ElementsAre(2, 2, 11, 5, 5, 5));
}

// In units of the scales both rows are {-127, 0, 63, 64}: 63.5 rounds away from 0.
TEST(Clustering, ScaledChannelsShareIntegers) {
  const Floats weights{-127, 0, 63, 64, -63.5F, 0, 31.5F, 32};
  const Floats scales{1, 0.5F};
  const auto layer = cluster_layer(weights, 2, scales, {.k = 3}, 1);
  ASSERT_TRUE(layer);
  EXPECT_THAT(layer->codebooks, ElementsAre(ElementsAre(-127, 0, 64)));
  EXPECT_THAT(clustered_weights(*layer, 2, scales), ElementsAre(-127, 0, 64, 64, -63.5, 0, 32, 32));
  EXPECT_EQ(layer->squared_error, 1 + 0.25);
}

TEST(Clustering, CentroidsThatRoundToOneAreMerged) {
  // 0.2 joins the zero, 5.1 and 4.9 become one, 140 is clamped.
  const Floats weights{0, 0.2F, 4.9F, 5.1F, 140}, scales{1};
  const auto layer = cluster_layer(weights, 1, scales, {.k = 5}, 1);
  ASSERT_TRUE(layer);
  EXPECT_THAT(layer->codebooks, ElementsAre(ElementsAre(0, 5, 127)));
  EXPECT_THAT(layer->assignment, ElementsAre(0, 0, 1, 1, 2));
  EXPECT_EQ(layer->merged, 2);
  EXPECT_EQ(layer->largest_codebook, 3);
  EXPECT_EQ(to_json(*layer)["merged"], 2);
}

TEST(Clustering, ALayerThatCannotIsLeftOutWithTheReason) {
  const Floats weights{1, 2, 3, 4, 5, 6, 7, 8};
  const auto few =
      cluster_layer(weights, 4, {}, {.k = 3, .per = Per::channel, .scale = Scale::none}, 1);
  ASSERT_TRUE(few);
  EXPECT_THAT(few->codebooks, IsEmpty());
  EXPECT_THAT(few->assignment, IsEmpty());
  ASSERT_TRUE(few->left_out);
  EXPECT_EQ(to_json(*few), (Json{{"left_out", "2 weights are fewer than 3 clusters"}}));
  // The second channel is the one with zeros and both signs.
  const Floats signs{1, 2, 3, -1, 0, 1};
  const auto mixed =
      cluster_layer(signs, 2, {}, {.k = 2, .per = Per::channel, .scale = Scale::none}, 1);
  ASSERT_TRUE(mixed);
  EXPECT_THAT(mixed->codebooks, IsEmpty());
  EXPECT_THAT(mixed->left_out.value_or(""), HasSubstr("both signs"));
}

TEST(Clustering, ThesisOptionZeroesTheSmallestOfEachRow) {
  const Floats weights{-4, 1, 1, 5, 9, 2, 2, 7};
  const auto layer = cluster_layer(weights, 2, {},
                                   {.k = 3,
                                    .per = Per::channel,
                                    .preserve_sparsity = false,
                                    .zero_smallest = true,
                                    .scale = Scale::none},
                                   1);
  ASSERT_TRUE(layer);
  EXPECT_THAT(layer->codebooks, ElementsAre(ElementsAre(-4, 0, 5), ElementsAre(0, 7, 9)));
  EXPECT_EQ(layer->squared_error, 1 + 1 + 4 + 4);
}

TEST(Clustering, KeepsTheZerosOfAPrunedLayerAndFewInt8Values) {
  std::mt19937 random(9);
  std::normal_distribution<float> normal(0, 0.1F);
  for (int trial = 0; trial < 20; ++trial) {
    constexpr std::size_t channels = 6, row = 90;
    Floats weights(channels * row), scales(channels, 0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = random() % 4 ? 0.0F : normal(random) * float(1 + i / row);
      scales[i / row] = std::max(scales[i / row], std::abs(weights[i]) / 127);
    }
    for (const Per per : {Per::layer, Per::channel}) {
      const auto layer = cluster_layer(weights, channels, scales, {.k = 16, .per = per}, 1);
      ASSERT_TRUE(layer);
      const auto shared = clustered_weights(*layer, channels, scales);
      std::set<int> integers;
      double error = 0, without = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        EXPECT_TRUE(weights[i] != 0 || shared[i] == 0);
        integers.insert(int(std::lround(shared[i] / scales[i / row])));
        error += std::pow(double(weights[i]) - double(shared[i]), 2);
        without += std::pow(double(weights[i]), 2);
      }
      EXPECT_LE(integers.size(), per == Per::layer ? 16U : 16U * channels);
      EXPECT_NEAR(layer->squared_error, error, 1e-9);
      EXPECT_LT(error, without / 50);
    }
  }
}

constexpr KmeansInit moving_inits[] = {KmeansInit::linear, KmeansInit::random, KmeansInit::density,
                                       KmeansInit::plus_plus};

/// Four channels, the scale of each a few times that of the one before.
struct UnequalLayer {
  static constexpr std::int64_t channels = 4;
  Floats weights, scales;

  UnequalLayer(std::size_t row, float largest, std::mt19937& random) {
    std::normal_distribution<float> normal(0, largest / 3);
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      scales.push_back(channel == 0 ? 0.01F : scales.back() * float(1 + random() % 5));
      for (std::size_t i = 0; i < row; ++i)
        weights.push_back(scales.back() * std::clamp(normal(random), -largest, largest));
    }
  }
  std::size_t row() const { return weights.size() / channels; }
  double unit(std::size_t i) const { return double(weights[i]) / scales[i / row()]; }
};

/// What a clustering with one codebook loses, from its parts alone.
double error_of(const UnequalLayer& layer, const LayerClusters& clusters) {
  double error = 0;
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    const double scale = layer.scales[i / layer.row()];
    const double centroid = clusters.codebooks.front()[clusters.assignment[i]];
    error += std::pow(layer.weights[i] - scale * centroid, 2);
  }
  return error;
}

/// The least error with any codebook of at most `k` integers from `first` to `largest` and those
/// already in `codebook`.
double least_error(const UnequalLayer& layer, int k, int first, int largest,
                   std::vector<double> codebook = {}) {
  double least = codebook.empty() ? 1e300 : 0;
  for (std::size_t i = 0; !codebook.empty() && i < layer.weights.size(); ++i) {
    double nearest = 1e300;
    for (const double centroid : codebook)
      nearest = std::min(nearest, std::abs(layer.unit(i) - centroid));
    least += std::pow(nearest * layer.scales[i / layer.row()], 2);
  }
  codebook.push_back(0);
  for (int integer = first; k > 0 && integer <= largest; ++integer) {
    codebook.back() = integer;
    least = std::min(least, least_error(layer, k - 1, integer + 1, largest, codebook));
  }
  return least;
}

TEST(Clustering, ExactIsTheBestOfAllIntegerCodebooks) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 60; ++trial) {
    const int largest = 4 + trial % 5;
    const UnequalLayer layer(1 + trial % 6, float(largest), random);
    const int k = std::min(1 + trial % 4, int(layer.weights.size()));
    const auto clusters = cluster_layer(layer.weights, UnequalLayer::channels, layer.scales,
                                        {.k = k, .preserve_sparsity = false}, 1);
    ASSERT_TRUE(clusters) << clusters.error().message;
    const double least = least_error(layer, k, -largest, largest);
    EXPECT_NEAR(error_of(layer, *clusters), least, 1e-5 * least + 1e-12) << trial;
    EXPECT_NEAR(clusters->squared_error, least, 1e-5 * least + 1e-12) << trial;
  }
}

TEST(Clustering, NoStartEndsBelowTheExactErrorWhereScalesDiffer) {
  std::mt19937 random(12);
  for (int trial = 0; trial < 40; ++trial) {
    const UnequalLayer layer(200, 127, random);
    const int k = 2 + trial % 15;
    const auto cluster = [&](KmeansInit init) {
      const auto clusters = cluster_layer(layer.weights, UnequalLayer::channels, layer.scales,
                                          {.k = k, .init = init}, std::uint64_t(trial));
      EXPECT_TRUE(clusters);
      EXPECT_NEAR(clusters->squared_error, error_of(layer, *clusters),
                  1e-5 * clusters->squared_error);
      return error_of(layer, *clusters);
    };
    const double exact = cluster(KmeansInit::exact);
    for (const KmeansInit init : moving_inits)
      EXPECT_GE(cluster(init), exact * (1 - 1e-9)) << trial << ' ' << word_of(kmeans_inits, init);
  }
}

// In units 1 and 5. At twice the scale an error counts four times, so the mean is (1 + 4 * 5) / 5
// and not 3.
TEST(Clustering, WeightsOfALargerScaleCountForMore) {
  const Floats weights{1, 1, 1, 1, 1, 10, 10, 10, 10, 10}, scales{1, 2};
  for (const KmeansInit init : {KmeansInit::exact, KmeansInit::linear}) {
    const auto layer = cluster_layer(weights, 2, scales, {.k = 1, .init = init}, 1);
    ASSERT_TRUE(layer);
    EXPECT_THAT(layer->codebooks, ElementsAre(ElementsAre(4)));
    EXPECT_EQ(layer->squared_error, 5 * 9 + 5 * 4);
  }
}

TEST(Clustering, MoreCentroidsThanIntegersAreNotNeeded) {
  const Floats weights{-2.2F, -1.8F, 0.9F, 1.1F, 1.2F, 7}, scales{1};
  for (const int k : {3, 4, 6}) {
    const auto layer = cluster_layer(weights, 1, scales, {.k = k}, 1);
    ASSERT_TRUE(layer);
    EXPECT_THAT(layer->codebooks, ElementsAre(ElementsAre(-2, 1, 7)));
    EXPECT_EQ(layer->merged, k - 3);
  }
}

TEST(Clustering, RefusesBadWeightsAndScales) {
  const auto message = [](const Floats& weights, std::int64_t channels, const Floats& scales) {
    const auto layer = cluster_layer(weights, channels, scales, {.k = 1}, 1);
    EXPECT_FALSE(layer);
    if (layer) return std::string();
    EXPECT_EQ(layer.error().kind, ErrorKind::bad_input);
    return layer.error().message;
  };
  EXPECT_THAT(message({1, 2, 3}, 2, {1, 1}), HasSubstr("3 weights as those of 2 output channels"));
  EXPECT_THAT(message({}, 1, {1}), HasSubstr("0 weights as those of 1"));
  EXPECT_THAT(message({1}, 0, {}), HasSubstr("of 0 output channels"));
  EXPECT_THAT(message({1, NAN}, 2, {1, 1}), HasSubstr("number 1 is nan"));
  EXPECT_THAT(message({1, 2}, 2, {1}), HasSubstr("needs 2 scales, found 1"));
  EXPECT_THAT(message({1, 2}, 2, {1, 0}), HasSubstr("scale of channel 1 must be above 0, found 0"));
  EXPECT_THAT(message({1, 2}, 2, {NAN, 1}), HasSubstr("scale of channel 0"));
}

TEST(Clustering, WritesWhatItReads) {
  for (const char* text :
       {R"({"clusters": 8, "init": "k-means++", "per": "channel", "preserve_sparsity": false,
            "zero_smallest": true, "scale": "none", "layers": "conv", "except": ["a"]})",
        R"({"clusters": 256, "init": "density", "per": "layer", "preserve_sparsity": true,
            "zero_smallest": false, "scale": "channel", "layers": ["a", "b"], "except": []})"})
    EXPECT_EQ(to_json(test::read_settings(text, read_cluster_settings)), Json::parse(text));
  EXPECT_EQ(to_json(test::read_settings("{}", read_cluster_settings)), to_json(ClusterSettings{}));
}

TEST(Clustering, AnswersBadSettingsWithTheField) {
  const auto problem = [](const char* text) {
    return test::problem_of_settings(text, read_cluster_settings);
  };
  EXPECT_THAT(problem(R"({"clusters": 0})"), HasSubstr("clusters: expected 1 to 256, found 0"));
  EXPECT_THAT(problem(R"({"clusters": 257})"), HasSubstr("clusters: expected 1 to 256"));
  EXPECT_THAT(problem(R"({"init": "optimal"})"), HasSubstr("init: expected one of linear, random"));
  EXPECT_THAT(problem(R"({"per": "filter"})"), HasSubstr("per: expected one of layer, channel"));
  EXPECT_THAT(problem(R"({"scale": 1})"), HasSubstr("scale: expected text"));
  EXPECT_THAT(problem(R"({"preserve_sparsity": 1})"), HasSubstr("preserve_sparsity: "));
  EXPECT_THAT(problem(R"({"layers": "some"})"), HasSubstr("layers: expected one of all"));
  EXPECT_THAT(problem(R"({"k": 1})"), HasSubstr("k: unknown field"));
}

}  // namespace
}  // namespace assay
