// Trainings with a method on the made-up set of bright halves: 16 steps in two epochs.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "compress/train/trainer.hpp"
#include "harness/core/file.hpp"
#include "tests/compress/train/bright_halves.hpp"

namespace assay::testing_models {

inline TrainableNetwork trainable(const onnx::Model& model) {
  auto network = TrainableNetwork::create(model, "small");
  if (!network) throw std::runtime_error(network.error().message);
  return std::move(*network);
}

/// The value of a result that must be one.
template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

/// A float constant of a model as plain numbers.
inline std::vector<float> reals(const onnx::Model& model, const std::string& name) {
  const auto values = model.initializers.at(name).as<float>();
  return {values.begin(), values.end()};
}

inline std::vector<std::int8_t> integers(const onnx::Model& model, const std::string& name) {
  const auto values = model.initializers.at(name).as<std::int8_t>();
  return {values.begin(), values.end()};
}

class MethodTraining : public ::testing::Test {
 protected:
  static constexpr std::int64_t steps = 16;

  MethodTraining() {
    settings_.epochs = 2;
    settings_.batch = 16;
    settings_.learning_rate = 0.01;
  }

  Status train(
      TrainableNetwork& network, TrainingMethod& method, std::stop_token stop = {},
      const std::filesystem::path& checkpoints = {},
      const Progress& progress = [](double, const std::string&) {}) const {
    TrainingMethod* methods[] = {&method};
    const std::optional<DistillSettings> alone;
    const TrainingTask task{.network = network,
                            .methods = methods,
                            .settings = settings_,
                            .distill = alone,
                            .teacher = nullptr,
                            .train = train_,
                            .validation = validation_,
                            .preprocessor = preprocessor_,
                            .checkpoints = checkpoints,
                            .identity = "this training"};
    auto epochs = train_network(task, progress, std::move(stop));
    if (!epochs) return tl::unexpected(epochs.error());
    if (!epochs->empty()) accuracy_ = epochs->back().validation_accuracy.value_or(0);
    return {};
  }

  /// A network that has learned the task. Centroids alone cannot teach it to random weights.
  onnx::Model trained_model() const {
    TrainableNetwork network = trainable(initial(1));
    class Nothing final : public TrainingMethod {
      Json report() const override { return {}; }
      std::string name() const override { return "nothing"; }
    } nothing;
    EXPECT_TRUE(train(network, nothing));
    EXPECT_GT(accuracy_, 0.9);
    return network.model();
  }

  /// The network as `method` leaves it.
  static onnx::Model written(const TrainableNetwork& network, TrainingMethod& method) {
    TrainingMethod* methods[] = {&method};
    return network.model(methods);
  }

  /// Trains from `start` with the method that `make` creates for a network, once without a pause
  /// and once stopped after the first epoch and resumed by other objects; `finish` turns network
  /// and method into what must be the same.
  template <class Make, class Finish>
  void expect_same_when_resumed(const onnx::Model& start, Make make, Finish finish) const {
    TrainableNetwork whole = trainable(start);
    const auto whole_method = make(whole);
    ASSERT_TRUE(train(whole, *whole_method));

    const ScratchDirectory scratch =
        value_of(ScratchDirectory::create(::testing::TempDir(), "methods"));
    TrainableNetwork stopped = trainable(start);
    const auto stopped_method = make(stopped);
    std::stop_source source;
    const Status status = train(stopped, *stopped_method, source.get_token(), scratch.path(),
                                [&](double, const std::string&) { source.request_stop(); });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::interrupted);
    EXPECT_NE(finish(stopped, *stopped_method), finish(whole, *whole_method));

    TrainableNetwork resumed = trainable(start);
    const auto resumed_method = make(resumed);
    int epochs = 0;
    ASSERT_TRUE(train(resumed, *resumed_method, {}, scratch.path(),
                      [&](double, const std::string&) { ++epochs; }));
    EXPECT_EQ(epochs, 1);
    EXPECT_EQ(finish(resumed, *resumed_method), finish(whole, *whole_method));
    EXPECT_EQ(resumed_method->report(), whole_method->report());
  }

  /// The usual thing that must be the same: the model as the method leaves it.
  template <class Make>
  void expect_same_when_resumed(const onnx::Model& start, Make make) const {
    expect_same_when_resumed(start, make, [](TrainableNetwork& network, TrainingMethod& method) {
      return fingerprint(written(network, method));
    });
  }

  TrainSettings settings_;
  ImageSet train_ = bright_halves(128, 1);
  ImageSet validation_ = bright_halves(64, 2);
  Preprocessor preprocessor_{{{0.4F}, {0.25F}}};
  mutable double accuracy_ = 0;  ///< after the last epoch of the last training
};

}  // namespace assay::testing_models
