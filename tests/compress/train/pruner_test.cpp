// Pruning within a training. The small network has 36 weights in "conv" and 512 in "dense".
#include "compress/train/pruner.hpp"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <cmath>

#include "compress/methods/shrink_filters.hpp"
#include "compress/train/interpreter.hpp"
#include "compress/train/tensors.hpp"
#include "tests/compress/train/method_training.hpp"
#include "tests/compress/train/trainable_models.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing_models::initial;
using testing_models::reals;
using testing_models::trainable;
using testing_models::value_of;
using Granularity = MagnitudePruning::Granularity;
using Ranking = MagnitudePruning::Ranking;

constexpr const char* conv = "conv.weight";
constexpr const char* dense = "dense.weight";

PruneSettings pruning(double sparsity, Granularity granularity = Granularity::unstructured) {
  PruneSettings settings;
  settings.schedule.sparsity = sparsity;
  settings.schedule.frequency = 3;
  settings.magnitude.granularity = granularity;
  return settings;
}

std::int64_t zeros(const std::vector<float>& weights) {
  return std::ranges::count(weights, 0.0F);
}

/// Filters of a layer that are all 0.
std::int64_t dead_filters(const onnx::Model& model, const std::string& layer) {
  const auto weights = reals(model, layer + ".weight");
  const std::int64_t filters = model.initializer(layer + ".weight")->shape[0];
  const auto length = std::ptrdiff_t(weights.size()) / filters;
  std::int64_t dead = 0;
  for (auto filter = weights.begin(); filter != weights.end(); filter += length)
    dead += std::count(filter, filter + length, 0.0F) == length;
  return dead;
}

/// So many of `count` weights go at a sparsity (TFMOT's rule).
std::int64_t pruned(std::int64_t count, double sparsity) {
  return count - std::max<std::int64_t>(std::llround(double(count) * (1 - sparsity)), 1);
}

class Pruning : public testing_models::MethodTraining {
 protected:
  static std::unique_ptr<Pruner> pruner(TrainableNetwork& network, const PruneSettings& settings) {
    return value_of(Pruner::create(network, settings));
  }

  /// Trains and writes a network; `report_` is the pruner's.
  onnx::Model prune(const PruneSettings& settings, const onnx::Model& start = initial(1)) {
    TrainableNetwork network = trainable(start);
    const auto method = pruner(network, settings);
    const Status status = train(network, *method);
    EXPECT_TRUE(status) << status.error().message;
    report_ = method->report();
    return written(network, *method);
  }

  void expect_same_outputs(const onnx::Model& model, const onnx::Model& shrunk) const {
    std::vector<float> input;
    preprocessor_.slice(validation_, 0, validation_.count, input);
    const auto whole = value_of(value_of(Interpreter::create(model, "")).run(input, 64));
    const auto small = value_of(value_of(Interpreter::create(shrunk, "")).run(input, 64));
    ASSERT_EQ(whole.size(), small.size());
    for (std::size_t i = 0; i < whole.size(); ++i)
      EXPECT_NEAR(whole[i], small[i], 1e-5 * std::max(1.0F, std::abs(whole[i])));  // another order
  }

  Json report_;
};

TEST_F(Pruning, ReachesTheTargetInEveryLayerToOneWeight) {
  for (const double sparsity : {0.0, 0.3, 0.75, 0.99}) {
    SCOPED_TRACE(sparsity);
    const onnx::Model model = prune(pruning(sparsity));
    for (const char* name : {conv, dense}) {
      const auto weights = reals(model, name);
      EXPECT_EQ(zeros(weights), pruned(std::int64_t(weights.size()), sparsity)) << name;
    }
    EXPECT_EQ(report_["layers"]["conv"]["zeros"], pruned(36, sparsity));
    EXPECT_EQ(report_["layers"]["dense"],
              (Json{{"weights", 512}, {"zeros", pruned(512, sparsity)}}));
    EXPECT_FALSE(report_.contains("left_out"));
    if (sparsity < 0.9) {
      EXPECT_GT(accuracy_, 0.9);
    }
  }
}

TEST_F(Pruning, RanksAllLayersTogether) {
  PruneSettings settings = pruning(0.75);
  settings.magnitude.ranking = Ranking::global;
  const onnx::Model model = prune(settings);
  const std::int64_t in_conv = zeros(reals(model, conv));
  EXPECT_EQ(in_conv + zeros(reals(model, dense)), pruned(548, 0.75));
  // The weights of the convolution start three times as large, so fewer of them are pruned.
  EXPECT_LT(in_conv, pruned(36, 0.75));
}

TEST_F(Pruning, PrunesBlocksOfInputChannels) {
  const auto weights = reals(prune(pruning(0.75, Granularity::block_1x4)), dense);
  EXPECT_EQ(zeros(weights), 384);
  for (std::size_t block = 0; block < weights.size(); block += 4) {
    const std::int64_t here = std::count(weights.begin() + std::ptrdiff_t(block),
                                         weights.begin() + std::ptrdiff_t(block) + 4, 0.0F);
    EXPECT_TRUE(here == 0 || here == 4) << block;
  }
}

TEST_F(Pruning, PrunesTwoOfFour) {
  const onnx::Model model = prune(pruning(0.5, Granularity::n_of_m));
  const auto weights = reals(model, dense);
  for (std::size_t group = 0; group < weights.size(); group += 4)
    EXPECT_EQ(std::count(weights.begin() + std::ptrdiff_t(group),
                         weights.begin() + std::ptrdiff_t(group) + 4, 0.0F),
              2)
        << group;
  EXPECT_EQ(zeros(reals(model, conv)), 0);  // one input channel is no group
  EXPECT_EQ(report_["left_out"]["conv"], "it has 1 input channels, too few for a group of 4");
  EXPECT_FALSE(report_["layers"].contains("conv"));
}

TEST_F(Pruning, PrunesFiltersThatCanBeTakenOut) {
  const onnx::Model model = prune(pruning(0.5, Granularity::filter));
  EXPECT_EQ(zeros(reals(model, conv)), 18);
  EXPECT_EQ(zeros(reals(model, dense)), 0);
  EXPECT_THAT(report_["left_out"]["dense"].get<std::string>(), HasSubstr("output"));
  const ShrunkModel shrunk = value_of(shrink_filters(model));
  EXPECT_EQ(shrunk.layers, (std::vector<ShrunkLayer>{{"conv", 4, 2}}));
  EXPECT_EQ(reals(shrunk.model, conv).size(), 18U);
  EXPECT_EQ(reals(shrunk.model, dense).size(), 256U);

  expect_same_outputs(model, shrunk.model);
}

// A depthwise layer has the channels of the one in front: were both ranked, a channel would be left
// unless both had chosen it.
TEST_F(Pruning, LeavesNoDeadFilterInFrontOfADepthwiseLayer) {
  for (const int epochs : {0, 2})
    for (const Ranking ranking : {Ranking::layer, Ranking::global}) {
      SCOPED_TRACE(epochs);
      settings_.epochs = epochs;
      PruneSettings settings = pruning(0.5, Granularity::filter);
      settings.magnitude.ranking = ranking;
      const onnx::Model model = prune(settings, testing_models::depthwise_block());
      const ShrunkModel shrunk = value_of(shrink_filters(model));
      if (ranking == Ranking::layer) {
        EXPECT_EQ(shrunk.layers,
                  (std::vector<ShrunkLayer>{{"first", 10, 5}, {"depth", 10, 5}, {"point", 6, 3}}));
      }
      for (const char* layer : {"first", "depth", "point"})
        EXPECT_EQ(dead_filters(shrunk.model, layer), 0) << layer;
      EXPECT_EQ(report_["sharing"], (Json{{"depth", "first"}}));
      EXPECT_FALSE(report_["layers"].contains("depth"));
      expect_same_outputs(model, shrunk.model);
    }
}

TEST_F(Pruning, ADepthwiseLayerAloneCannotLoseFilters) {
  PruneSettings settings = pruning(0.5, Granularity::filter);
  settings.layers = {LayerPolicy::Rule::named, {"depth", "point"}, {}};
  settings_.epochs = 0;
  prune(settings, testing_models::depthwise_block());
  EXPECT_EQ(report_["left_out"]["depth"], "it has the channels of 'first', which is not chosen");
  EXPECT_FALSE(report_.contains("sharing"));
}

// The norms of both branches stand behind both convolutions in the order of the nodes.
TEST_F(Pruning, SilencesOnlyTheNormsThatItsFiltersReach) {
  PruneSettings settings = pruning(0.7, Granularity::filter);
  settings.layers = {LayerPolicy::Rule::named, {"b"}, {}};
  settings_.epochs = 0;
  const onnx::Model start = testing_models::parallel_branches();
  const onnx::Model model = prune(settings, start);
  EXPECT_EQ(value_of(shrink_filters(model)).layers, (std::vector<ShrunkLayer>{{"b", 3, 1}}));
  EXPECT_EQ(zeros(reals(model, "b.norm.gamma")), 2);
  for (const char* name : {"a.weight", "a.norm.gamma", "a.norm.beta", "sum.norm.gamma"})
    EXPECT_EQ(reals(model, name), reals(start, name)) << name;
}

TEST_F(Pruning, KeepsToItsLayers) {
  PruneSettings settings = pruning(0.75);
  settings.layers = {LayerPolicy::Rule::named, {"dense"}, {}};
  const onnx::Model model = prune(settings);
  EXPECT_EQ(zeros(reals(model, conv)), 0);
  EXPECT_EQ(zeros(reals(model, dense)), 384);
  EXPECT_FALSE(report_["layers"].contains("conv"));
}

TEST_F(Pruning, RefusesLayersItCannotPrune) {
  struct Case {
    Granularity granularity;
    const char* layer;
    const char* message;
  };
  const Case cases[] = {
      {Granularity::unstructured, "dance", "dance"},
      {Granularity::filter, "dense",
       "can lose whole filters, 'dense' because its output is the model's output"}};
  TrainableNetwork network = trainable(initial(1));
  for (const Case& one : cases) {
    PruneSettings settings = pruning(0.5, one.granularity);
    settings.layers = {LayerPolicy::Rule::named, {one.layer}, {}};
    const auto method = Pruner::create(network, settings);
    ASSERT_FALSE(method) << one.layer;
    EXPECT_EQ(method.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(method.error().message, HasSubstr(one.message));
  }
}

// Updates at t = 0, 3, 6 and at the end t1 = 8 of 16 steps: s = s_f (1 - (1 - t / 8)^3).
TEST_F(Pruning, ReportsTheScheduleAsExecuted) {
  prune(pruning(0.75));
  const Json& updates = report_["updates"];
  const std::int64_t expected[] = {0, 3, 6, 8};
  ASSERT_EQ(updates.size(), std::size(expected));
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const double left = 1 - double(expected[i]) / 8;
    const double sparsity = 0.75 * (1 - left * left * left);
    EXPECT_EQ(updates[i]["step"], expected[i]);
    EXPECT_NEAR(updates[i]["sparsity"].get<double>(), sparsity, 1e-12);
    EXPECT_EQ(updates[i]["zeros"], pruned(36, sparsity) + pruned(512, sparsity));
    EXPECT_EQ(updates[i]["weights"], 548);
  }
}

TEST_F(Pruning, OnlyGrowsAndKeepsMaskedWeightsAtZero) {
  struct Case {
    Granularity granularity;
    double target;
    std::int64_t expected;  // zeros in the end, of 512: 51 weights stay, or 13 blocks
  };
  for (const auto& [granularity, target, expected] :
       {Case{Granularity::unstructured, 0.9, 461}, Case{Granularity::block_1x4, 0.9, 460},
        Case{Granularity::n_of_m, 0.5, 256}}) {
    TrainableNetwork network = trainable(initial(2));
    const auto method = pruner(network, pruning(target, granularity));
    const std::size_t layer = 1;
    at::Tensor gone = at::zeros({2, 256}, at::kBool);
    for (std::int64_t step = 0; step < steps; ++step) {
      ASSERT_TRUE(method->begin_step(step, steps));
      at::Tensor weight = network.layers()[layer].weight;
      const at::Tensor now = weight == 0;
      EXPECT_TRUE((now | ~gone).all().item<bool>()) << "step " << step;  // gone implies now
      gone = now;
      const c10::NoGradGuard no_gradient;
      // An optimizer with momentum moves all weights, masked ones too; here by a lot.
      weight.add_(at::where(at::arange(512).reshape({2, 256}) % 3 == step % 3, 5.0, -0.01));
      EXPECT_TRUE((method->weight(layer, weight) == 0).equal(gone)) << "step " << step;
      method->end_step();
      EXPECT_TRUE((weight == 0).equal(gone)) << "step " << step;
    }
    EXPECT_EQ(gone.sum().item<std::int64_t>(), expected);
  }
}

TEST_F(Pruning, KeepsTheZerosItFinds) {
  onnx::Model start = initial(1);
  auto weights = reals(start, dense);
  std::fill(weights.begin(), weights.begin() + 40, 0.0F);
  start.initializers[dense] =
      onnx::Tensor::of<float>(dense, onnx::ElementType::float32, {2, 256}, weights);
  for (const auto& [sparsity, expected] : {std::pair{0.5, 256}, std::pair{0.01, 40}}) {
    const auto trained = reals(prune(pruning(sparsity), start), dense);
    EXPECT_EQ(zeros(trained), expected);
    EXPECT_EQ(std::count(trained.begin(), trained.begin() + 40, 0.0F), 40);
  }
}

TEST_F(Pruning, PrunesAtOnceWithoutEpochs) {
  settings_.epochs = 0;
  const onnx::Model start = initial(1);
  const onnx::Model model = prune(pruning(0.75), start);
  EXPECT_EQ(report_["updates"],
            Json::parse(R"([{"step": 0, "sparsity": 0.75, "zeros": 411, "weights": 548}])"));
  for (const char* name : {conv, dense}) {
    const auto before = reals(start, name);
    const auto after = reals(model, name);
    float largest_gone = 0;
    float smallest_kept = 1e9F;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (after[i] == 0) {
        largest_gone = std::max(largest_gone, std::abs(before[i]));
        continue;
      }
      EXPECT_EQ(after[i], before[i]) << name;
      smallest_kept = std::min(smallest_kept, std::abs(before[i]));
    }
    EXPECT_LE(largest_gone, smallest_kept) << name;
    EXPECT_EQ(zeros(after), pruned(std::int64_t(after.size()), 0.75)) << name;
  }
}

TEST_F(Pruning, GoesOnWithTheSameBits) {
  for (const Granularity granularity : {Granularity::unstructured, Granularity::filter}) {
    PruneSettings settings = pruning(0.5, granularity);
    settings.schedule.end = 0.8;  // after the pause, which is at one half
    expect_same_when_resumed(initial(3),
                             [&](TrainableNetwork& network) { return pruner(network, settings); });
  }
}

TEST_F(Pruning, GoesOnWhateverItsLayersAreCalled) {
  onnx::Model start = initial(3);
  for (onnx::Node& node : start.nodes)
    if (node.name == "dense") node.name = "updates";
  expect_same_when_resumed(
      start, [&](TrainableNetwork& network) { return pruner(network, pruning(0.5)); });
}

}  // namespace
}  // namespace assay
