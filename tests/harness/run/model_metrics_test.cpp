// Figures of a model small enough to count by hand.
#include "harness/run/model_metrics.hpp"

#include <gmock/gmock.h>

#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/run/measurement.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using onnx::ElementType;

template <class T>
void add(onnx::Model& model, const std::string& name, ElementType type,
         std::vector<std::int64_t> shape, std::vector<T> values) {
  model.initializers[name] = onnx::Tensor::of<T>(name, type, std::move(shape), values);
}

onnx::Node node(const std::string& op_type, std::vector<std::string> inputs, std::string output) {
  return {output, op_type, "", std::move(inputs), {output}, {}};
}

/// [1, 3, 3] -> a 2 x 2 convolution with two filters of int8 weights and a bias -> [2, 2, 2]
/// -> a dense layer of three float outputs.
onnx::Model small_model() {
  onnx::Model model;
  model.inputs = {{"x", ElementType::float32, {-1, 1, 3, 3}}};
  model.outputs = {{"y", ElementType::float32, {-1, 3}}};
  add<std::int8_t>(model, "w", ElementType::int8, {2, 1, 2, 2}, {0, 5, 5, -7, 0, 0, 5, 7});
  add<float>(model, "w_scale", ElementType::float32, {1}, {0.5F});
  add<float>(model, "b", ElementType::float32, {2}, {1, 2});
  std::vector<float> dense(24, 0.25F);
  dense[3] = 0;
  dense[4] = 0.5F;
  add<float>(model, "d", ElementType::float32, {3, 8}, dense);
  model.nodes = {node("DequantizeLinear", {"w", "w_scale"}, "w_real"),
                 node("Conv", {"x", "w_real", "b"}, "c"), node("Flatten", {"c"}, "f"),
                 node("Gemm", {"f", "d"}, "y")};
  model.nodes.back().attributes["transB"] = std::int64_t{1};
  return model;
}

class ModelMetrics : public ::testing::Test {
 protected:
  void SetUp() override {
    artifacts_.model = folder_.path() / "model.onnx";
    artifacts_.evaluate = folder_.path() / "evaluate";
    artifacts_.evaluate_float = folder_.path() / "float";
    artifacts_.learned = {folder_.path() / "train", folder_.path() / "prune"};
    ASSERT_TRUE(onnx::write_model(small_model(), artifacts_.model));
    write("evaluate/evaluation.json", R"({"macc": 7,
        "validation": {"count": 50, "correct": 41}, "test": {"count": 200, "correct": 151}})");
    write("float/evaluation.json", R"({"validation": {"count": 50, "correct": 1},
        "test": {"count": 200, "correct": 160}})");
    write("train/log.json", R"({"cpu_seconds": 12.5})");
    write("prune/log.json", R"({"cpu_seconds": 2})");
  }
  void write(const fs::path& name, std::string_view text) {
    ASSERT_TRUE(write_atomically(folder_.path() / name, text));
  }

  ScratchDirectory folder_ = ScratchDirectory::create(::testing::TempDir(), "figures-").value();
  CellArtifacts artifacts_;
};

TEST_F(ModelMetrics, AreWhatCountingByHandSays) {
  const auto bytes = static_cast<double>(fs::file_size(artifacts_.model));
  const auto found = model_metrics(artifacts_, 10 * bytes);
  ASSERT_TRUE(found) << found.error().message;
  const std::map<std::string, double> expected{
      {"accuracy_top1", 75.5},
      {"accuracy_top1_validation", 82},
      {"accuracy_top1_float", 80},
      {"model_bytes", bytes},
      {"compression_ratio", 10},
      // 8 int8 weights within [-7, 7] at 4 bits, 24 floats, a scale and two biases.
      // 8 int8 weights within [-7, 7] at 4 bits; 24 indices of 2 bits and the 3 floats they stand
      // for; a scale and two biases.
      {"weight_bytes", 4 + (24 / 4 + 3 * 4) + 4 + 2 * 4},
      {"parameters", 8 + 2 + 24},
      {"zeros_pct", 100.0 * (3 + 1) / (8 + 24)},
      {"clusters", 4},  // {-7, 0, 5, 7}; the dense layer has 0, 0.25 and 0.5
      {"macc", 8 * 4 + 24},
      {"train_seconds", 14.5},
  };
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(found->contains(name)) << name;
    EXPECT_DOUBLE_EQ(found->at(name).value, value) << name;
    const MetricKind* kind = find_metric_kind(name);
    ASSERT_TRUE(kind) << name;
    EXPECT_EQ(found->at(name).unit, kind->unit) << name;
  }
  EXPECT_EQ(found->size(), expected.size() + 2);  // and those of other programs' methods
  EXPECT_GT(found->at("model_gzip_bytes").value, 0);
  EXPECT_GT(found->at("model_entropy_bytes").value, 0);
  EXPECT_EQ(found->at("accuracy_top1").provenance, Provenance::computed);
  EXPECT_EQ(found->at("zeros_pct").provenance, Provenance::counted);
}

TEST_F(ModelMetrics, MoreValuesThanACodebookHoldsAreNoClusters) {
  for (const int distinct : {256, 257}) {
    onnx::Model model = small_model();
    std::vector<float> weights(3 * 8 * 11);
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = static_cast<float>(static_cast<int>(i) % distinct);
    add<float>(model, "d", ElementType::float32, {3, 88}, weights);
    add<std::int8_t>(model, "w", ElementType::int8, {22, 1, 2, 2}, std::vector<std::int8_t>(88, 1));
    add<float>(model, "b", ElementType::float32, {22}, std::vector<float>(22, 0));
    ASSERT_TRUE(onnx::write_model(model, artifacts_.model));
    const auto found = model_metrics(artifacts_, std::nullopt);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->contains("clusters"), distinct <= 256);
  }
}

TEST_F(ModelMetrics, TellClassesOneByOne) {
  write("evaluate/evaluation.json", R"({"validation": {"count": 4, "correct": 1},
      "test": {"count": 5, "correct": 3, "per_class": [{"class": "cat", "count": 4, "correct": 3},
               {"class": "dog", "count": 1, "correct": 0}, {"class": "eel", "count": 0,
                "correct": 0}]}})");
  const auto found = model_metrics(artifacts_, std::nullopt);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_DOUBLE_EQ(found->at("accuracy_class_cat").value, 75);
  EXPECT_DOUBLE_EQ(found->at("accuracy_class_dog").value, 0);
  EXPECT_FALSE(found->contains("accuracy_class_eel"));  // no image, no accuracy
}

TEST_F(ModelMetrics, OfARegressionAreErrors) {
  write("evaluate/evaluation.json", R"({"validation": {"count": 4, "error_mean": 0.5},
                                        "test": {"count": 4, "error_mean": 0.25}})");
  write("float/evaluation.json", R"({"validation": {"count": 4, "error_mean": 1},
                                     "test": {"count": 4, "error_mean": 0.125}})");
  const auto found = model_metrics(artifacts_, std::nullopt);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->at("error_mean").value, 0.25);
  EXPECT_EQ(found->at("error_mean_validation").value, 0.5);
  EXPECT_EQ(found->at("error_mean_float").value, 0.125);
  EXPECT_FALSE(found->contains("accuracy_top1"));
}

TEST_F(ModelMetrics, OfWhatIsNotKnownAreAbsent) {
  artifacts_.learned.clear();
  artifacts_.evaluate_float.clear();
  const auto found = model_metrics(artifacts_, std::nullopt);
  ASSERT_TRUE(found) << found.error().message;
  for (const char* name : {"train_seconds", "accuracy_top1_float", "compression_ratio"})
    EXPECT_FALSE(found->contains(name)) << name;
}

TEST_F(ModelMetrics, NeedEveryArtifact) {
  for (const char* name : {"evaluate/evaluation.json", "model.onnx", "prune/log.json"}) {
    SetUp();
    fs::remove(folder_.path() / name);
    const auto found = model_metrics(artifacts_, std::nullopt);
    ASSERT_FALSE(found) << name;
    EXPECT_THAT(found.error().message, ::testing::HasSubstr(name));
  }
}

TEST_F(ModelMetrics, AreAllThatARecordOfTheHostHas) {
  MeasurementOrder order;
  order.identity.label = "conv5_s1";
  order.artifacts = artifacts_;
  order.data = "fashion-mnist";
  const auto record = record_on_host(order);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->label, "conv5_s1");
  for (const auto* text : {&record->board, &record->board_type, &record->part})
    EXPECT_EQ(*text, "host");
  EXPECT_FALSE(record->virtual_board);
  EXPECT_EQ(record->verdict, Verdict::pass);
  EXPECT_TRUE(record->build.is_null() || record->build.empty());
  EXPECT_NE(record->recorded_at, "");
  EXPECT_EQ(to_json(record->metrics), to_json(model_metrics(artifacts_, std::nullopt).value()));
  for (const char* name : {"latency_us", "rom_bytes", "ram_bytes", "samples_confirmed"})
    EXPECT_FALSE(record->metrics.contains(name)) << name;
}

}  // namespace
}  // namespace assay
