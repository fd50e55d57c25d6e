// Training quantized, against the quantized model that is written afterwards. The small network,
// its normalization folded, has 36 weights in "conv" and 512 in "dense".
#include "compress/train/quantization_aware.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "compress/onnx/fold_batch_norm.hpp"
#include "compress/train/clusterer.hpp"
#include "compress/train/interpreter.hpp"
#include "compress/train/tensors.hpp"
#include "tests/compress/train/method_training.hpp"
#include "tests/compress/train/trainable_models.hpp"

namespace assay {
namespace {

using testing_models::fingerprint;
using testing_models::initial;
using testing_models::integers;
using testing_models::reals;
using testing_models::trainable;
using testing_models::value_of;

constexpr auto observed = QuantizationTraining::observed;
constexpr auto learned = QuantizationTraining::learned;

onnx::Model folded() {
  return value_of(onnx::fold_batch_norm(initial(1)));
}

/// Where what is no layer rounds too: an average of 9 pixels, weighted by a gate that looks at the
/// average of all 9. An average of 9 steps never lies half between two.
onnx::Model gated() {
  using testing_models::Integers;
  using testing_models::numbers;
  return testing_models::ModelBuilder(1, 8, 8)
      .constant("conv.weight", {4, 1, 3, 3}, numbers(36))
      .constant("gate.weight", {4, 4, 1, 1}, numbers(16, 5))
      .constant("dense.weight", {2, 36}, numbers(72, 9))
      .node("Conv", {"x", "conv.weight"}, "conv", {{"pads", Integers{1, 1, 2, 2}}})
      .node("Relu", {"conv"}, "relu")
      .node("AveragePool", {"relu"}, "pooled",
            {{"kernel_shape", Integers{3, 3}}, {"strides", Integers{3, 3}}})
      .node("GlobalAveragePool", {"pooled"}, "squeezed")
      .node("Conv", {"squeezed", "gate.weight"}, "gate")
      .node("Sigmoid", {"gate"}, "opened")
      .node("Mul", {"pooled", "opened"}, "scaled")
      .node("Flatten", {"scaled"}, "flat")
      .node("Gemm", {"flat", "dense.weight"}, "y", {{"transB", std::int64_t{1}}})
      .build();
}

template <class T>
std::size_t distinct(const std::vector<T>& values) {
  return std::set<T>(values.begin(), values.end()).size();
}

int largest(const std::vector<std::int8_t>& values) {
  int magnitude = 0;
  for (const std::int8_t value : values)
    magnitude = std::max(magnitude, std::abs(int(value)));
  return magnitude;
}

/// What a training leaves.
struct Outcome {
  Json report;  // the method's
  QuantizedModel quantized;
};

class QuantizationAwareTraining : public testing_models::MethodTraining {
 protected:
  /// Smallest and largest activations over the training images.
  Ranges ranges(const onnx::Model& model, const QuantizeSettings& settings) const {
    Ranges found;
    for (const std::string& name : value_of(activations_to_observe(model, settings)))
      found[name] = {};
    std::vector<float> input;
    preprocessor_.slice(train_, 0, train_.count, input);
    const auto watch = [&](const std::string& tensor, std::span<const float> values, int) {
      const auto range = found.find(tensor);
      if (range == found.end()) return;
      for (const float value : values) {
        range->second.low = std::min(range->second.low, value);
        range->second.high = std::max(range->second.high, value);
      }
    };
    value_of(value_of(Interpreter::create(model, "")).run(input, train_.count, watch));
    return found;
  }

  std::unique_ptr<QuantizationAware> method(TrainableNetwork& network, const onnx::Model& start,
                                            const QuantizeSettings& settings) const {
    return value_of(QuantizationAware::create(network, settings, ranges(start, settings)));
  }

  static QuantizedModel quantize(TrainableNetwork& network, QuantizationAware& method,
                                 const QuantizeSettings& settings) {
    return value_of(quantize_model(written(network, method), {}, settings, method.scales()));
  }

  Outcome learn(const QuantizeSettings& settings, const onnx::Model& start = folded()) const {
    TrainableNetwork network = trainable(start);
    auto created = method(network, start, settings);
    const Status status = train(network, *created);
    EXPECT_TRUE(status) << status.error().message;
    return {created->report(), quantize(network, *created, settings)};
  }
};

struct Form {
  const char* name;
  QuantizeSettings settings;
};

const Form forms[] = {
    {"ObservedInt8", {.training = observed}},
    {"LearnedInt8", {.training = learned}},
    {"MovingAverage", {.observer = Observer::moving_average, .training = observed}},
    {"OneScaleALayer", {.weight_scales = WeightScales::tensor, .training = learned}},
    {"ObservedInt4", {.weight_bits = 4, .training = observed}},
    {"LearnedInt4", {.weight_bits = 4, .training = learned}},
    {"ObservedTernary", {.weight_bits = 2, .training = observed}},
    {"LearnedTernary", {.weight_bits = 2, .training = learned}},
    {"MixedBits", {.weight_bits = 4, .layer_bits = {{"conv", 8}}, .training = observed}},
    {"ObservedInt16", {.scheme = Scheme::int16_activations, .training = observed}},
    {"LearnedInt16", {.scheme = Scheme::int16_activations, .training = learned}},
    {"WeightsAlone", {.scheme = Scheme::dynamic, .weight_bits = 4, .training = observed}},
};

class EveryForm : public QuantizationAwareTraining, public ::testing::WithParamInterface<Form> {};

// The written model holds biases rounded to int32 and adds up in another order, so an activation
// just between two steps may fall to either side: the output then differs by one step, in few
// images. At 16 bits a step of the output is so small that a hidden activation's one step counts
// for a few of it; with float activations only the order of the sums differs.
TEST_P(EveryForm, WritesTheModelThatWasTrained) {
  const QuantizeSettings& settings = GetParam().settings;
  std::vector<float> input;
  preprocessor_.slice(validation_, 0, validation_.count, input);
  const std::pair<onnx::Model, double> starts[] = {{folded(), 0.9}, {gated(), 0.7}};
  for (const auto& [start, least_accuracy] : starts) {
    TrainableNetwork network = trainable(start);
    const auto aware = method(network, start, settings);
    ASSERT_TRUE(train(network, *aware));
    EXPECT_GT(accuracy_, least_accuracy);
    const QuantizedModel quantized = quantize(network, *aware, settings);
    const auto integer_outputs =
        value_of(value_of(Interpreter::create(quantized.model, "")).run(input, 64));

    const c10::NoGradGuard no_gradient;
    aware->set_training(false);
    TrainingMethod* methods[] = {aware.get()};
    const auto trained = to_vector(
        value_of(network.forward(at::from_blob(input.data(), {64, 1, 8, 8}), false, methods)));
    const std::string output = start.outputs[0].name;
    const bool integer = settings.quantizes_activations();
    const double step = integer ? aware->scales().activations.at(output).scale : 1e-5;
    const double allowed = settings.scheme == Scheme::int16_activations ? 6 : 1.001;
    int equal = 0;
    ASSERT_EQ(integer_outputs.size(), trained.size());
    for (std::size_t i = 0; i < trained.size(); ++i) {
      EXPECT_NEAR(integer_outputs[i], trained[i], allowed * step) << i;
      equal += std::abs(integer_outputs[i] - trained[i]) < 0.01 * step;
    }
    if (settings.scheme == Scheme::int8) {
      EXPECT_GE(equal, 120);
    }
  }
}

TEST_P(EveryForm, WritesIntegersOfItsWidth) {
  const QuantizeSettings& settings = GetParam().settings;
  const Outcome outcome = learn(settings);
  for (const std::string layer : {"conv", "dense"}) {
    const int limit = weight_limit(settings.bits_of(layer));
    const auto values = integers(outcome.quantized.model, layer + ".weight.quantized");
    EXPECT_LE(largest(values), limit) << layer;
    EXPECT_GT(largest(values), limit / 2) << layer;  // the range is used
    EXPECT_EQ(outcome.report["layers"][layer]["bits"], settings.bits_of(layer));
  }
}

TEST_P(EveryForm, KeepsZeros) {
  onnx::Model start = folded();
  for (const char* name : {"conv.weight", "dense.weight"}) {
    onnx::Tensor& tensor = start.initializers.at(name);
    auto weights = reals(start, name);
    for (std::size_t i = 0; i < weights.size(); i += 3)
      weights[i] = 0;
    tensor = onnx::Tensor::of<float>(name, tensor.type, tensor.shape, weights);
  }
  const Outcome outcome = learn(GetParam().settings, start);
  for (const std::string name : {"conv.weight", "dense.weight"}) {
    const auto values = integers(outcome.quantized.model, name + ".quantized");
    for (std::size_t i = 0; i < values.size(); i += 3)
      EXPECT_EQ(values[i], 0) << name << ' ' << i;
    EXPECT_GT(largest(values), 0);
  }
}

// Four of five weights pruned: the values left are few, but no clusters.
TEST_P(EveryForm, TakesAPrunedLayerForNoClusteredOne) {
  const QuantizeSettings& settings = GetParam().settings;
  onnx::Model start = folded();
  for (const char* name : {"conv.weight", "dense.weight"}) {
    onnx::Tensor& tensor = start.initializers.at(name);
    auto weights = reals(start, name);
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (i % 5 != 0) weights[i] = 0;
    tensor = onnx::Tensor::of<float>(name, tensor.type, tensor.shape, weights);
  }
  const Outcome outcome = learn(settings, start);
  for (const std::string layer : {"conv", "dense"}) {
    EXPECT_FALSE(outcome.report["layers"][layer].contains("clusters")) << layer;
    const auto channels = start.initializers.at(layer + ".weight").shape[0];
    EXPECT_EQ(std::int64_t(reals(outcome.quantized.model, layer + ".weight.scale").size()),
              settings.weight_scales == WeightScales::tensor ? 1 : channels)
        << layer;
    const auto values = integers(outcome.quantized.model, layer + ".weight.quantized");
    for (std::size_t i = 0; i < values.size(); ++i)
      if (i % 5 != 0) {
        EXPECT_EQ(values[i], 0) << layer << ' ' << i;
      }
  }
}

TEST_P(EveryForm, GoesOnWithTheSameBits) {
  const QuantizeSettings& settings = GetParam().settings;
  const onnx::Model start = folded();
  expect_same_when_resumed(
      start, [&](TrainableNetwork& network) { return method(network, start, settings); },
      [&](TrainableNetwork& network, QuantizationAware& aware) {
        return fingerprint(quantize(network, aware, settings).model);
      });
}

INSTANTIATE_TEST_SUITE_P(Forms, EveryForm, ::testing::ValuesIn(forms),
                         [](const auto& test) { return test.param.name; });

TEST_F(QuantizationAwareTraining, KeepsClusters) {
  const onnx::Model plain = value_of(onnx::fold_batch_norm(trained_model()));
  for (const auto scale : {ClusterSettings::Scale::channel, ClusterSettings::Scale::none})
    for (const auto training : {observed, learned}) {
      TrainableNetwork clustered = trainable(plain);
      const auto clusterer = value_of(Clusterer::create(clustered, {.k = 7, .scale = scale}, 1));
      const onnx::Model start = written(clustered, *clusterer);
      const Outcome outcome = learn({.training = training}, start);
      EXPECT_GT(accuracy_, 0.9);
      for (const std::string name : {"conv.weight", "dense.weight"}) {
        const auto values = integers(outcome.quantized.model, name + ".quantized");
        EXPECT_LE(distinct(values), 7U) << name;
        EXPECT_GE(distinct(values), 5U) << name;
        if (scale == ClusterSettings::Scale::channel) {
          EXPECT_NE(values, integers(start, name + ".quantized")) << name;  // they are trained
        }
      }
      EXPECT_LE(outcome.report["layers"]["dense"]["clusters"], 7);
    }
}

// Seven different values, which a model without marks would take for clusters.
TEST_F(QuantizationAwareTraining, AsksTheMarksOfTheModel) {
  TrainableNetwork clustered = trainable(folded());
  const auto clusterer =
      value_of(Clusterer::create(clustered,
                                 {.k = 7,
                                  .scale = ClusterSettings::Scale::none,
                                  .layers = {LayerPolicy::Rule::named, {"dense"}, {}}},
                                 1));
  onnx::Model start = written(clustered, *clusterer);
  clusterer->mark(start);
  std::vector<float> few = reals(start, "conv.weight");
  for (float& weight : few)
    weight = weight < 0 ? -0.5F : 0.25F;
  onnx::Tensor& tensor = start.initializers.at("conv.weight");
  tensor = onnx::Tensor::of<float>(tensor.name, tensor.type, tensor.shape, few);
  const Outcome outcome = learn({.training = observed}, start);
  EXPECT_FALSE(outcome.report["layers"]["conv"].contains("clusters"));
  EXPECT_EQ(outcome.report["layers"]["dense"]["clusters"], 7);
  start.metadata.clear();
  EXPECT_EQ(learn({.training = observed}, start).report["layers"]["conv"]["clusters"], 2);
}

TEST_F(QuantizationAwareTraining, ReportsTheBitsOfIntegersItKeeps) {
  TrainableNetwork clustered = trainable(folded());
  const auto clusterer = value_of(Clusterer::create(clustered, {.k = 7}, 1));
  const Outcome outcome =
      learn({.weight_bits = 4, .training = observed}, written(clustered, *clusterer));
  EXPECT_GT(largest(integers(outcome.quantized.model, "dense.weight.quantized")), 7);
  EXPECT_EQ(outcome.report["layers"]["dense"]["bits"], 8);
}

// With weights that stay as they are, training finds what quantization after training does.
TEST_F(QuantizationAwareTraining, BoundsAndReportsScalesAsWithoutTraining) {
  settings_.epochs = 0;
  onnx::Model start = folded();
  onnx::Tensor& tensor = start.initializers.at("conv.weight");
  auto weights = reals(start, "conv.weight");
  for (std::size_t i = 0; i < 9; ++i)
    weights[i] *= 1e-4F;  // the first of 4 channels
  tensor = onnx::Tensor::of<float>(tensor.name, tensor.type, tensor.shape, weights);
  for (const Scheme scheme : {Scheme::dynamic, Scheme::int8, Scheme::int16_activations})
    for (const auto training : {observed, learned}) {
      QuantizeSettings settings{.scheme = scheme};
      const QuantizedModel after =
          value_of(quantize_model(start, ranges(start, settings), settings));
      settings.training = training;
      const QuantizedModel trained = learn(settings, start).quantized;
      const auto expected = reals(after.model, "conv.weight.scale");
      const auto found = reals(trained.model, "conv.weight.scale");
      ASSERT_EQ(found.size(), 4U);
      for (std::size_t i = 0; i < 4; ++i)
        EXPECT_NEAR(found[i], expected[i], 1e-5F * expected[i]) << i;
      const int raised = scheme == Scheme::dynamic ? 0 : 1;
      for (const QuantizedModel* model : {&after, &trained}) {
        EXPECT_EQ(model->report["weights"]["conv"]["raised_channels"], raised);
        EXPECT_EQ(model->report["notices"].size(), raised);
      }
    }
}

TEST_F(QuantizationAwareTraining, MovesScales) {
  struct Case {
    QuantizeSettings settings;
    bool weights, activations;  // whose scales move
  };
  const Case cases[] = {
      {{.training = learned}, true, true},
      {{.training = observed}, true, false},
      {{.observer = Observer::moving_average, .training = observed}, true, true},
  };
  // Weights are observed every 20 steps.
  settings_.epochs = 3;
  for (const Case& one : cases) {
    const onnx::Model start = folded();
    TrainableNetwork network = trainable(start);
    const auto aware = method(network, start, one.settings);
    const GivenScales before = aware->scales();
    ASSERT_TRUE(train(network, *aware));
    const GivenScales after = aware->scales();
    for (const auto& [name, scales] : before.weights)
      EXPECT_EQ(scales != after.weights.at(name), one.weights) << name;
    for (const auto& [name, scale] : before.activations) {
      if (name == start.inputs[0].name) continue;  // every batch has its darkest and lightest pixel
      EXPECT_EQ(scale.scale != after.activations.at(name).scale, one.activations) << name;
    }
  }
}

// 0.99 of the range and 0.01 of the batch's, at every batch.
TEST_F(QuantizationAwareTraining, FollowsTheRangesOfTheBatches) {
  const QuantizeSettings settings{.observer = Observer::moving_average, .training = observed};
  const onnx::Model start = folded();
  TrainableNetwork network = trainable(start);
  Ranges from = ranges(start, settings);
  const std::string name = start.inputs[0].name;
  from[name] = {-1, 2};
  const auto aware = value_of(QuantizationAware::create(network, settings, from));
  std::vector<float> values{-3, 0.5F, 6};
  const at::Tensor batch = at::from_blob(values.data(), {3}).clone();
  double low = -1;
  double high = 2;
  for (int i = 0; i < 5; ++i) {
    aware->activation(name, batch);
    low = 0.99 * low + 0.01 * -3;
    high = 0.99 * high + 0.01 * 6;
    EXPECT_NEAR(aware->scales().activations.at(name).scale, (high - low) / 255, 1e-6);
  }
  aware->set_training(false);
  const float kept = aware->scales().activations.at(name).scale;
  aware->activation(name, 10 * batch);
  EXPECT_EQ(aware->scales().activations.at(name).scale, kept);
}

}  // namespace
}  // namespace assay
