// Clustering within a training. The small network, its normalization folded, has 36 weights in
// "conv" and 512 in "dense".
#include "compress/train/clusterer.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "compress/onnx/fold_batch_norm.hpp"
#include "compress/train/tensors.hpp"
#include "tests/compress/train/method_training.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing_models::fingerprint;
using testing_models::initial;
using testing_models::integers;
using testing_models::reals;
using testing_models::trainable;
using testing_models::value_of;
using Per = ClusterSettings::Per;
using Scale = ClusterSettings::Scale;

constexpr std::size_t conv = 0;  // places among the layers
constexpr std::size_t dense = 1;

onnx::Model folded(std::uint64_t seed = 1) {
  return value_of(onnx::fold_batch_norm(initial(seed)));
}

/// The first `count` weights of every 8 are 0.
onnx::Model with_zeros(onnx::Model model, int count) {
  for (const char* name : {"conv.weight", "dense.weight"}) {
    onnx::Tensor& tensor = model.initializers.at(name);
    auto weights = reals(model, name);
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (int(i % 8) < count) weights[i] = 0;
    tensor = onnx::Tensor::of<float>(name, tensor.type, tensor.shape, weights);
  }
  return model;
}

template <class T>
std::size_t distinct(const std::vector<T>& values) {
  return std::set<T>(values.begin(), values.end()).size();
}

/// The weights of a layer that has been written as integers or as reals.
std::vector<float> real_weights(const onnx::Model& model, const std::string& name) {
  if (model.initializer(name)) return reals(model, name);
  const auto values = integers(model, name + ".quantized");
  const auto scales = reals(model, name + ".scale");
  std::vector<float> weights;
  for (std::size_t i = 0; i < values.size(); ++i)
    weights.push_back(scales[i / (values.size() / scales.size())] * float(values[i]));
  return weights;
}

class Clustering : public testing_models::MethodTraining {
 protected:
  std::unique_ptr<Clusterer> clusterer(const TrainableNetwork& network,
                                       ClusterSettings settings) const {
    settings.layers = layers_;
    return value_of(Clusterer::create(network, settings, 1));
  }

  /// Trains and writes a network; `report_` is the clusterer's.
  onnx::Model cluster(const ClusterSettings& settings, const onnx::Model& start = folded()) {
    TrainableNetwork network = trainable(start);
    const auto method = clusterer(network, settings);
    const Status status = train(network, *method);
    EXPECT_TRUE(status) << status.error().message;
    report_ = method->report();
    return written(network, *method);
  }

  LayerPolicy layers_;
  Json report_;
};

TEST_F(Clustering, LeavesSoManyIntegersInALayer) {
  const onnx::Model start = value_of(onnx::fold_batch_norm(trained_model()));
  for (const int k : {2, 5, 16})
    for (const KmeansInit init : {KmeansInit::exact, KmeansInit::density}) {
      const onnx::Model model = cluster({.k = k, .init = init}, start);
      for (const char* name : {"conv.weight", "dense.weight"}) {
        const auto values = integers(model, name + std::string(".quantized"));
        EXPECT_LE(distinct(values), std::size_t(k)) << name;
        EXPECT_GE(distinct(values), std::size_t(k) - 1) << name;  // two may meet while training
        EXPECT_FALSE(model.initializer(name)) << name;
      }
      if (k > 2) {
        EXPECT_GT(accuracy_, 0.9) << k;
      }
    }
}

TEST_F(Clustering, LeavesSoManyIntegersInAChannel) {
  const onnx::Model model = cluster({.k = 3, .per = Per::channel});
  const auto values = integers(model, "conv.weight.quantized");
  for (int channel = 0; channel < 4; ++channel) {
    const std::set<std::int8_t> here(values.begin() + 9 * channel,
                                     values.begin() + 9 * channel + 9);
    EXPECT_LE(here.size(), 3U) << channel;
  }
  EXPECT_GT(distinct(values), 3U);
  EXPECT_EQ(report_["layers"]["conv"]["codebooks"], 4);
}

TEST_F(Clustering, LeavesSoManyRealsWithoutScales) {
  const onnx::Model model = cluster({.k = 6, .scale = Scale::none});
  for (const char* name : {"conv.weight", "dense.weight"}) {
    EXPECT_EQ(distinct(reals(model, name)), 6U) << name;
    EXPECT_FALSE(model.initializer(name + std::string(".quantized"))) << name;
  }
}

TEST_F(Clustering, KeepsZerosAndMakesNoOthers) {
  const onnx::Model start = with_zeros(folded(), 3);
  for (const Scale scale : {Scale::channel, Scale::none}) {
    const onnx::Model model = cluster({.k = 8, .scale = scale}, start);
    for (const char* name : {"conv.weight", "dense.weight"}) {
      const auto before = reals(start, name);
      const auto after = real_weights(model, name);
      EXPECT_LE(distinct(after), name[0] == 'c' ? 8U * 4 : 8U * 2);  // times the channels' scales
      for (std::size_t i = 0; i < before.size(); ++i)
        if (before[i] == 0) {
          EXPECT_EQ(after[i], 0) << name << ' ' << i;
        }
    }
    // As reals no small centroid rounds to zero.
    if (scale == Scale::none) {
      EXPECT_EQ(std::ranges::count(reals(model, "dense.weight"), 0.0F), 512 * 3 / 8);
    }
  }
}

TEST_F(Clustering, WithoutEpochsLosesWhatItReports) {
  settings_.epochs = 0;
  const onnx::Model start = folded();
  for (const Scale scale : {Scale::channel, Scale::none}) {
    const onnx::Model model = cluster({.k = 4, .scale = scale}, start);
    for (const std::string name : {"conv", "dense"}) {
      const auto before = reals(start, name + ".weight");
      const auto after = real_weights(model, name + ".weight");
      double error = 0;
      for (std::size_t i = 0; i < before.size(); ++i)
        error += std::pow(double(before[i]) - after[i], 2);
      EXPECT_GT(error, 0);
      EXPECT_NEAR(report_["layers"][name]["squared_error"].get<double>(), error, 1e-4 * error);
    }
  }
}

TEST_F(Clustering, ReportsALayerItLeavesOut) {
  const onnx::Model start = folded();
  TrainableNetwork network = trainable(start);
  const auto method = clusterer(network, {.k = 64});
  ASSERT_TRUE(train(network, *method));
  const Json report = method->report();
  EXPECT_THAT(report["layers"]["conv"]["left_out"].get<std::string>(), HasSubstr("36"));
  EXPECT_FALSE(report["layers"]["dense"].contains("left_out"));
  const onnx::Model model = written(network, *method);
  const auto weights = reals(model, "conv.weight");
  EXPECT_GT(distinct(weights), 30U);
  EXPECT_NE(weights, reals(start, "conv.weight"));  // it goes on learning as it is
  EXPECT_LE(distinct(integers(model, "dense.weight.quantized")), 64U);
}

TEST_F(Clustering, MarksTheLayersWithRealCentroids) {
  const auto marked = [&](const ClusterSettings& settings) {
    TrainableNetwork network = trainable(folded());
    const auto method = clusterer(network, settings);
    onnx::Model model = written(network, *method);
    method->mark(model);
    return model.metadata.at("assay.clusters");
  };
  EXPECT_EQ(marked({.k = 6, .scale = Scale::none}), R"({"conv":6,"dense":6})");
  EXPECT_EQ(marked({.k = 64, .scale = Scale::none}), R"({"dense":64})");  // conv is left out
  EXPECT_EQ(marked({.k = 6}), "{}");  // their integers say it themselves
}

TEST_F(Clustering, MovesNothingButTheCentroids) {
  layers_ = {LayerPolicy::Rule::named, {"dense"}, {}};
  TrainableNetwork network = trainable(folded());
  const auto before_conv = to_vector(network.layers()[conv].weight);
  const auto before_dense = to_vector(network.layers()[dense].weight);
  const auto method = clusterer(network, {.k = 8});
  EXPECT_EQ(method->report()["settings"]["layers"], Json::array({"dense"}));
  EXPECT_TRUE(method->replaces(dense));
  EXPECT_FALSE(method->replaces(conv));
  const auto first = integers(written(network, *method), "dense.weight.quantized");
  const auto first_scales = reals(written(network, *method), "dense.weight.scale");
  ASSERT_EQ(method->parameters().size(), 1U);
  const auto centroids = to_vector(method->parameters()[0]);
  ASSERT_TRUE(train(network, *method));
  EXPECT_EQ(to_vector(network.layers()[dense].weight), before_dense);
  EXPECT_NE(to_vector(network.layers()[conv].weight), before_conv);
  EXPECT_NE(to_vector(method->parameters()[0]), centroids);

  const onnx::Model model = written(network, *method);
  const auto last = integers(model, "dense.weight.quantized");
  EXPECT_NE(last, first);
  EXPECT_EQ(reals(model, "dense.weight.scale"), first_scales);
  for (std::size_t i = 0; i < first.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      ASSERT_TRUE(first[i] != first[j] || last[i] == last[j]) << i << ' ' << j;
  EXPECT_GT(distinct(reals(model, "conv.weight")), 30U);
}

TEST_F(Clustering, RefusesAnUnknownLayer) {
  layers_ = {LayerPolicy::Rule::named, {"dance"}, {}};
  const auto method = Clusterer::create(trainable(folded()), {.layers = layers_}, 1);
  ASSERT_FALSE(method);
  EXPECT_EQ(method.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(method.error().message, HasSubstr("dance"));
}

TEST_F(Clustering, DrawsItsStartBySeed) {
  const TrainableNetwork network = trainable(folded());
  const auto start = [&](std::uint64_t seed) {
    const auto method =
        value_of(Clusterer::create(network, {.k = 8, .init = KmeansInit::random}, seed));
    return fingerprint(written(network, *method));
  };
  EXPECT_EQ(start(1), start(1));
  EXPECT_NE(start(1), start(2));
}

TEST_F(Clustering, GoesOnWithTheSameBits) {
  for (const Scale scale : {Scale::channel, Scale::none})
    expect_same_when_resumed(folded(3), [&](TrainableNetwork& network) {
      return clusterer(network, {.k = 8, .scale = scale});
    });
}

}  // namespace
}  // namespace assay
