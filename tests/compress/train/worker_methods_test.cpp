// Stages that compress, through the real worker: each goes on from the model of the one before.
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "compress/onnx/model.hpp"
#include "tests/compress/train/worker.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;

constexpr double sparsity = 0.5;
constexpr int clusters = 9;

class WorkerMethods : public Worker {
 protected:
  void SetUp() override {
    Worker::SetUp();
    trained_ = stage("trained", tiny_training()) / "model.onnx";
    learning_ = tiny_training().learning;
    learning_.settings.epochs = 1;
    learning_.settings.learning_rate = 0.002;
  }

  PruneStage prune() const {
    PruneStage work{trained_, {}, learning_};
    work.settings.schedule.sparsity = sparsity;
    work.settings.schedule.frequency = 4;
    return work;
  }
  ClusterStage cluster(const fs::path& model) const { return {model, {.k = clusters}, learning_}; }
  QuantizeStage quantize(const fs::path& model) const {
    return {model, {.samples = 64, .training = QuantizationTraining::observed}, learning_};
  }

  static onnx::Model model(const fs::path& path) {
    auto read = onnx::read_model(path);
    EXPECT_TRUE(read) << read.error().message;
    return read.value_or(onnx::Model{});
  }

  /// The worker's answer to a stage that it must refuse.
  template <class Work>
  ProcessOutcome refused(Work work) const {
    StageDescription description;
    description.work = std::move(work);
    return run(command(to_json(description).dump(), "refused"));
  }

  fs::path trained_;
  Learning learning_;
};

TEST_F(WorkerMethods, PrunesClustersAndQuantizesWithoutUndoingEachOther) {
  const fs::path pruned = stage("pruned", prune());
  const fs::path clustered = stage("clustered", cluster(pruned / "model.onnx"));
  const fs::path quantized = stage("quantized", quantize(clustered / "model.onnx"));
  const onnx::Model sparse = model(pruned / "model.onnx");
  const onnx::Model integers = model(quantized / "model.onnx");
  int layers = 0;
  for (const auto& [name, tensor] : integers.initializers) {
    if (!name.ends_with(".weight.quantized")) continue;
    ++layers;
    const auto values = tensor.as<std::int8_t>();
    const auto reals = sparse.initializers.at(name.substr(0, name.size() - 10)).as<float>();
    ASSERT_EQ(values.size(), reals.size());
    const auto left = std::llround(double(reals.size()) * (1 - sparsity));
    EXPECT_EQ(std::ranges::count(reals, 0.0F), std::int64_t(reals.size()) - left) << name;
    for (std::size_t i = 0; i < reals.size(); ++i)
      if (reals[i] == 0) {
        EXPECT_EQ(values[i], 0) << name << ' ' << i;
      }
    EXPECT_LE(std::set<int>(values.begin(), values.end()).size(), std::size_t(clusters)) << name;
    EXPECT_GT(std::set<int>(values.begin(), values.end()).size(), 2U) << name;
  }
  EXPECT_GE(layers, 3);
  EXPECT_GT(json(quantized / "training.json")["epochs"][0]["validation_accuracy"], 0.3);
  EXPECT_FALSE(json(pruned / "training.json")["prune"]["updates"].empty());
  EXPECT_TRUE(json(clustered / "training.json").contains("cluster"));
  EXPECT_TRUE(json(quantized / "training.json").contains("quantize"));
  const Json evaluated =
      json(stage("evaluated", EvaluateStage{quantized / "model.onnx"}) / "evaluation.json");
  // The interpreter adds up in another order than the training, which may turn a near tie.
  EXPECT_NEAR(evaluated["validation"]["accuracy_top1"].get<double>(),
              json(quantized / "training.json")["epochs"][0]["validation_accuracy"].get<double>(),
              0.005);
}

TEST_F(WorkerMethods, KeepsRealClustersToo) {
  ClusterStage work = cluster(trained_);
  work.settings.scale = ClusterSettings::Scale::none;
  const fs::path clustered = stage("clustered", work);
  EXPECT_TRUE(model(clustered / "model.onnx").metadata.contains("assay.clusters"));
  const fs::path quantized = stage("quantized", quantize(clustered / "model.onnx"));
  const Json layers = json(quantized / "training.json")["quantize"]["layers"];
  EXPECT_GE(layers.size(), 3U);
  for (const auto& [name, layer] : layers.items())
    EXPECT_LE(layer.at("clusters"), clusters) << name;
}

TEST_F(WorkerMethods, ReportsTheFiltersThatPruningRemoved) {
  PruneStage work = prune();
  work.settings.magnitude.granularity = MagnitudePruning::Granularity::filter;
  const fs::path pruned = stage("pruned", work);
  const onnx::Model before = model(trained_);
  const onnx::Model after = model(pruned / "model.onnx");
  Json expected = Json::object();
  for (const onnx::Node& node : before.nodes) {
    if (node.op_type != "Conv" && node.op_type != "Gemm") continue;
    const std::int64_t had = before.initializer(node.inputs[1])->shape[0];
    const std::int64_t has = after.initializer(node.inputs[1])->shape[0];
    if (has < had) expected[node.name] = {{"before", had}, {"after", has}};
  }
  EXPECT_FALSE(expected.empty());
  const Json report = json(pruned / "training.json");
  EXPECT_EQ(report["prune"]["filters"], expected);
  // What is in the file: four numbers a normalized channel, two of which are parameters.
  std::uint64_t parameters = 0;
  for (const onnx::Node& node : after.nodes)
    for (std::size_t i = 1; i < std::min<std::size_t>(node.inputs.size(), 3); ++i)
      if (const onnx::Tensor* constant = after.initializer(node.inputs[i]);
          constant && constant->type == onnx::ElementType::float32 && !constant->shape.empty())
        parameters += std::uint64_t(constant->element_count());
  EXPECT_EQ(report["parameters"], parameters);
}

TEST_F(WorkerMethods, WritesTheSameBytesTwice) {
  const auto twice = [&](const std::string& name, const auto& work) {
    const fs::path first = stage(name, work);
    const fs::path second = stage(name + "-again", work);
    for (const char* file : {"model.onnx", "training.json"}) {
      EXPECT_FALSE(text(first / file).empty()) << name;
      EXPECT_TRUE(text(first / file) == text(second / file)) << name << ' ' << file;
    }
  };
  twice("pruned", prune());
  twice("clustered", cluster(trained_));
  twice("quantized", quantize(trained_));
}

TEST_F(WorkerMethods, SaysInOneSentenceThatALayerIsUnknown) {
  PruneStage pruning = prune();
  pruning.settings.layers = {LayerPolicy::Rule::named, {"dance"}, {}};
  ClusterStage clustering = cluster(trained_);
  clustering.settings.layers = pruning.settings.layers;
  QuantizeStage quantizing = quantize(trained_);
  quantizing.settings.layer_bits = {{"dance", 4}};
  for (const ProcessOutcome& outcome :
       {refused(pruning), refused(clustering), refused(quantizing)}) {
    EXPECT_EQ(outcome.exit_code, exit_code(ErrorKind::bad_input));
    EXPECT_THAT(outcome.errors, HasSubstr("dance"));
    EXPECT_EQ(outcome.output, "");  // before anything is calibrated or trained
    EXPECT_EQ(std::ranges::count(outcome.errors, '\n'), 1) << outcome.errors;
    EXPECT_TRUE(fs::is_empty(folder("refused")));
  }
}

TEST_F(WorkerMethods, SaysInOneSentenceThatAPolicyIsUnknown) {
  StageDescription description;
  description.work = prune();
  Json bad = to_json(description);
  bad["prune"]["layers"] = "heaviest";
  const ProcessOutcome outcome = run(command(bad.dump(), "refused"));
  EXPECT_EQ(outcome.exit_code, exit_code(ErrorKind::bad_input));
  EXPECT_THAT(outcome.errors, HasSubstr("heaviest"));
  EXPECT_EQ(std::ranges::count(outcome.errors, '\n'), 1) << outcome.errors;
  EXPECT_TRUE(fs::is_empty(folder("refused")));
}

}  // namespace
}  // namespace assay
