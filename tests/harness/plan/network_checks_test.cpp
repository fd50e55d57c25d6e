// What a matrix says of layers is held against the networks before anything is trained.
#include <gmock/gmock.h>

#include <filesystem>

#include "compress/models/initial_network.hpp"
#include "harness/core/file.hpp"
#include "harness/plan/plan.hpp"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Result<Plan> plan_of(const Json& base) {
  auto matrix = parse_matrix({{"name", "m"}, {"base", base}}, "m.json");
  if (!matrix) return tl::unexpected(matrix.error());
  return make_plan(std::move(*matrix));
}

struct Refused {
  const char* name;
  const char* base;
  const char* words;
};

class NetworkChecksRefuse : public ::testing::TestWithParam<Refused> {};

TEST_P(NetworkChecksRefuse, BeforeTraining) {
  const auto plan = plan_of(*parse_json(GetParam().base, "base"));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(plan.error().message, HasSubstr(GetParam().words));
}

// conv5 has the layers conv1 to conv5 and dense; relu1 puts out 16 x 28 x 28, pool1 16 x 14 x 14.
INSTANTIATE_TEST_SUITE_P(
    Layers, NetworkChecksRefuse,
    ::testing::Values(
        Refused{"UnknownPruned", R"({"prune": {"sparsity": 0.5, "layers": ["conv9"]}})",
                "conv5_p0.5_pl-conv9_s1: prune: the model has no layer 'conv9' with weights, it "
                "has conv1, "},
        Refused{"UnknownExcepted", R"({"prune": {"sparsity": 0.5, "except": ["conv9"]}})",
                "no layer 'conv9' with weights"},
        Refused{"NothingPruned",
                R"({"prune": {"sparsity": 0.5, "layers": ["dense"], "except": ["dense"]}})",
                "selects none of the model's"},
        Refused{"FiltersOfTheLastLayer",
                R"({"prune": {"sparsity": 0.5, "granularity": "filter", "layers": "last"}})",
                "prune: none of the chosen layers can lose whole filters, 'dense' because its "
                "output is the model's output"},
        Refused{"UnknownClustered", R"({"cluster": {"clusters": 4, "layers": ["conv9"]}})",
                "cluster: the model has no layer 'conv9'"},
        Refused{"MoreClustersThanWeights",
                R"({"cluster": {"clusters": 256, "per": "channel", "layers": ["conv1"]}})",
                "cluster: none of the chosen layers can be clustered, conv1 because "},
        Refused{"UnknownBits", R"({"quantize": {"layer_bits": {"conv9": 4}}})",
                "quantize: layer_bits names layer 'conv9', which the model does not have; its "
                "layers are conv1, "},
        Refused{"UnknownNoisy", R"({"noise": {"layers": ["conv9"]}})",
                "noise: the model has no layer 'conv9'"},
        Refused{"NoWholeBlocks",
                R"({"noise": {"kind": "product", "block": 7, "layers": ["conv1"]}})",
                "noise: none of the chosen layers can have noise, 'conv1' because its rows of 9 "
                "weights "
                "are not whole blocks of 7"},
        Refused{"UnknownHintOfTheStudent", R"({"distill": {"hints": {"relu9": "relu1"}}})",
                "distill.hints: the student has no layer \"relu9\"; it has conv1, "},
        Refused{"UnknownHintOfTheTeacher",
                R"({"student.cut": 4, "distill": {"hints": {"relu1": "relu9"}}})",
                "distill.hints: the teacher has no layer \"relu9\"; it has conv1, "},
        Refused{"NarrowWeightsOfClusteredLayers",
                R"({"cluster": {"clusters": 16}, "quantize": {"weight_bits": 4}})",
                "conv5_k16_w4_s1: quantize: weights of 4 or 2 bits are asked for only of clustered "
                "layers, whose centroids are integers of 8 bits already: use cluster.scale"},
        Refused{"NarrowWeightsOfOneClusteredLayer",
                R"({"cluster": {"clusters": 16, "layers": "dense"},
                    "quantize": {"layer_bits": {"dense": 2}}})",
                "weights of 4 or 2 bits are asked for only of clustered layers"},
        Refused{"GroupsOfOneInputChannel",
                R"({"prune": {"granularity": "2:4", "layers": ["conv1"]}})",
                "prune: groups of 2:4 consecutive input channels prune nothing of the chosen "
                "layers, 'conv1' has 1 a group"},
        Refused{"HintsOfOtherSizes", R"({"distill": {"hints": {"relu1": "pool1"}}})",
                "only the channels may differ"},
        Refused{"HintFromFlatToImage", R"({"distill": {"hints": {"dense": "relu1"}}})",
                "only the channels may differ"}),
    [](const auto& test) { return test.param.name; });

TEST(NetworkChecks, TakeWhatTheWorkerTakes) {
  for (const char* base :
       {R"({"student.fewer_filters_pct": 50, "distill": {"hints": {"relu2": "relu2"}}})",
        R"({"prune": {"sparsity": 0.5, "layers": ["conv2"], "except": ["dense"]}})",
        R"({"prune": {"sparsity": 0.5, "granularity": "filter"}})",
        R"({"cluster": {"clusters": 16}, "quantize": {"layer_bits": {"conv1": 8}}})",
        R"({"cluster": {"clusters": 16, "layers": "conv"}, "quantize": {"weight_bits": 4}})",
        R"({"cluster": {"clusters": 16, "scale": "none"}, "quantize": {"weight_bits": 4}})",
        R"({"prune": {"granularity": "2:4", "layers": ["conv1", "conv2"]}})",
        R"({"noise": {"kind": "product", "layers": ["dense"]}})",
        R"({"distill": {"hints": {"dense": "dense"}}})"}) {
    const auto plan = plan_of(*parse_json(base, "base"));
    EXPECT_TRUE(plan) << base << plan.error().message;
  }
}

/// conv3 with a head of its own, in a file from elsewhere.
class ChecksOfAFile : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDirectory::create(::testing::TempDir(), "checks");
    ASSERT_TRUE(scratch) << scratch.error().message;
    scratch_.emplace(std::move(*scratch));
    model_ = *initial_network(*build_model({"conv3", 0, 0}, 1, 28, 28, outputs), 1,
                              {"elsewhere", {{0}, {1}}});
    std::erase_if(model_.metadata,
                  [](const auto& entry) { return entry.first.starts_with("assay"); });
  }

  Result<Plan> plan(Json student, Json base = Json::object()) {
    const auto path = (scratch_->path() / "net.onnx").string();
    EXPECT_TRUE(onnx::write_model(model_, path));
    student["from"] = path;
    base["student"] = std::move(student);
    return plan_of(base);
  }

  static constexpr int outputs = 1000;
  onnx::Model model_;
  std::optional<ScratchDirectory> scratch_;
};

TEST_F(ChecksOfAFile, RefuseUnknownLayersToFreeze) {
  const auto made = plan({{"freeze", {"conv9"}}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message,
              AllOf(HasSubstr("student.freeze: "), HasSubstr("net.onnx has no layer \"conv9\" to "
                                                             "freeze; it has conv1")));
}

TEST_F(ChecksOfAFile, RefuseToFreezeEverything) {
  Json all = Json::array();
  for (const onnx::Node& node : model_.nodes)
    if (node.op_type == "Conv" || node.op_type == "Gemm") all.push_back(node.name);
  const auto made = plan({{"freeze", all}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("nothing is left to train"));
  all.erase(all.begin());
  EXPECT_TRUE(plan({{"freeze", all}}));
}

TEST_F(ChecksOfAFile, RefuseUnknownHints) {
  const auto made = plan(Json::object(), {{"distill", {{"hints", {{"relu9", "relu1"}}}}}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("the student has no layer \"relu9\""));
}

TEST_F(ChecksOfAFile, RefuseOperatorsThatCannotBeTrained) {
  const auto pool = std::ranges::find(model_.nodes, "MaxPool", &onnx::Node::op_type);
  ASSERT_NE(pool, model_.nodes.end());
  pool->op_type = "MyPool";
  for (const char* scheme : {"int8", "none"}) {
    const auto made =
        plan(Json::object(), {{"distill", {{"T", 4}}}, {"quantize", {{"scheme", scheme}}}});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(made.error().message,
                AllOf(HasSubstr("student.from: "),
                      HasSubstr("net.onnx: node '" + pool->name + "': operator MyPool")));
  }
}

TEST_F(ChecksOfAFile, RefuseAHeadForOtherClasses) {
  const auto made = plan({{"head", "keep"}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(made.error().message,
              AllOf(HasSubstr("student.head: "),
                    HasSubstr("net.onnx puts out [1, 1000] for an image, fashion-mnist needs "
                              "[1, 10]; replace the head")));
  model_ =
      *initial_network(*build_model({"conv3", 0, 0}, 1, 28, 28, 10), 1, {"elsewhere", {{0}, {1}}});
  EXPECT_TRUE(plan({{"head", "keep"}}));
}

}  // namespace
}  // namespace assay
