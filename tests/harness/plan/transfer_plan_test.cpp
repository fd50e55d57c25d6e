// Matrices whose students start from a file.
#include <gmock/gmock.h>

#include <filesystem>

#include "compress/models/head.hpp"
#include "compress/models/initial_network.hpp"
#include "compress/onnx/fold_batch_norm.hpp"
#include "harness/core/file.hpp"
#include "harness/plan/fit.hpp"
#include "harness/plan/plan.hpp"
#include "harness/plan/shape_model.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// conv3 for 1000 classes of images of that size, saved as a file from elsewhere.
onnx::Model foreign(int side, std::uint64_t seed) {
  const auto spec = build_model({"conv3", 0, 0}, 1, side, side, 1000);
  auto model = initial_network(*spec, seed, {"elsewhere", {{0}, {1}}});
  std::erase_if(model->metadata,
                [](const auto& entry) { return entry.first.starts_with("assay"); });
  return std::move(*model);
}

class TransferPlan : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDirectory::create(::testing::TempDir(), "plan");
    ASSERT_TRUE(scratch) << scratch.error().message;
    scratch_.emplace(std::move(*scratch));
  }

  std::string file(const std::string& name) const { return (scratch_->path() / name).string(); }
  std::string save(const std::string& name, const onnx::Model& model) const {
    EXPECT_TRUE(onnx::write_model(model, file(name)));
    return file(name);
  }

  static Result<Plan> plan(const FieldValues& base, const char* board = nullptr) {
    Json json{{"name", "t"}, {"base", base}};
    if (board) json["deploy"] = {{"on", {{{"board_type", board}}}}};
    auto matrix = parse_matrix(json, "m.json");
    if (!matrix) return tl::unexpected(matrix.error());
    return make_plan(std::move(*matrix));
  }

  static const Stage& stage(const Plan& plan, StageKind kind) {
    return *std::ranges::find(plan.stages, kind, &Stage::kind);
  }

  std::optional<ScratchDirectory> scratch_;
};

TEST_F(TransferPlan, ImportsTheFileAndTrainsFromIt) {
  const auto path = save("net.onnx", foreign(28, 1));
  const auto made = plan({{"student.from", path}, {"student.freeze", "all-but-head"}});
  ASSERT_TRUE(made) << made.error().message;
  const Stage& import = stage(*made, StageKind::import_model);
  EXPECT_TRUE(import.inputs.empty());
  ASSERT_EQ(import.files.size(), 1U);
  EXPECT_EQ(import.files[0].path, path);
  EXPECT_THAT(import.settings.dump(), Not(HasSubstr("net.onnx")));
  EXPECT_TRUE(runs_in_worker(import.kind));
  const Stage& train = stage(*made, StageKind::train);
  EXPECT_FALSE(train.settings.contains("model"));
  EXPECT_EQ(train.settings.at("transfer"), (Json{{"head", "replace"}, {"freeze", "all-but-head"}}));
  ASSERT_EQ(train.inputs.size(), 1U);
  EXPECT_EQ(train.inputs[0].name, "source_model");
  EXPECT_EQ(made->stages[train.inputs[0].stage].key, import.key);
  EXPECT_GT(train.estimated_seconds.value_or(0), 0);
}

TEST_F(TransferPlan, KeyFollowsTheContentNotThePlace) {
  const auto key = [&](const std::string& path) {
    const auto made = plan({{"student.from", path}});
    EXPECT_TRUE(made) << made.error().message;
    return made ? stage(*made, StageKind::train).key : "";
  };
  const auto one = key(save("one.onnx", foreign(28, 1)));
  EXPECT_EQ(one, key(save("two.onnx", foreign(28, 1))));
  EXPECT_NE(one, key(save("one.onnx", foreign(28, 2))));
}

TEST_F(TransferPlan, KnowsTheShapesOfAnOnnxFile) {
  const auto config = Config::from({{"student.from", save("net.onnx", foreign(28, 1))}});
  const auto shape = student_shape(config);
  ASSERT_TRUE(shape) << shape.error().message;
  EXPECT_EQ(shape->missing_kernel, "");
  const auto spec = build_model({"conv3", 0, 0}, 1, 28, 28, 10);
  EXPECT_EQ(shape->macs, *count_macs(*spec));
  const auto replaced = replace_head(foreign(28, 1), 10, 3, "net");
  const auto folded = onnx::fold_batch_norm(*replaced);
  const auto bytes = reference_model_bytes(config);
  ASSERT_TRUE(bytes) << bytes.error().message;
  // Beside the metadata, which says the data set and its normalization.
  EXPECT_NEAR(bytes->value_or(0), double(onnx::serialize_model(*folded).size()), 200);
  const auto type = find_board_type("stm32f405");
  const auto fit = estimate_fit(config, *type);
  ASSERT_TRUE(fit) << fit.error().message;
  EXPECT_TRUE(fit->fits());
}

TEST_F(TransferPlan, ShapesOfTorchScriptAreUnknown) {
  ASSERT_TRUE(write_atomically(file("net.pt"), "not looked into"));
  const FieldValues base{{"student.from", file("net.pt")}, {"prune.sparsity", 0.5}};
  const auto made = plan(base);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE(stage(*made, StageKind::train).estimated_seconds);
  EXPECT_FALSE(stage(*made, StageKind::prune).estimated_seconds);
  EXPECT_TRUE(stage(*made, StageKind::import_model).estimated_seconds);
  EXPECT_NE(made->configs[0].missing_kernel, "");
  EXPECT_EQ(made->stages[made->configs[0].evaluate].kind, StageKind::evaluate_torch);
  EXPECT_FALSE(*reference_model_bytes(Config::from(base)));
}

TEST_F(TransferPlan, TorchScriptDoesNotGoToBoards) {
  ASSERT_TRUE(write_atomically(file("net.pt"), "not looked into"));
  const auto made = plan({{"student.from", file("net.pt")}}, "stm32f405");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(made.error().message, AllOf(HasSubstr("net.pt are not known before it is imported"),
                                          HasSubstr("take \"on\" out of deploy")));
}

TEST_F(TransferPlan, BadFilesAreRefusedBeforeARun) {
  const auto absent = plan({{"student.from", file("absent.onnx")}});
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message, HasSubstr("absent.onnx"));
  const auto large = plan({{"student.from", save("large.onnx", foreign(32, 1))}});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(large.error().message, AllOf(HasSubstr("large.onnx takes images of 1 x 32 x 32"),
                                           HasSubstr("fashion-mnist are 1 x 28 x 28")));
}

/// The matrix of docs/transfer.md, on a data set that every machine has.
TEST_F(TransferPlan, ClusteredHeadsShareOneImportAndOneTraining) {
  const Json json{
      {"name", "last-layer"},
      {"base",
       {{"student", {{"from", save("net.onnx", foreign(28, 1))}, {"freeze", "all-but-head"}}},
        {"cluster", {{"layers", "last"}, {"per", "channel"}, {"scale", "none"}, {"epochs", 0}}},
        {"quantize.scheme", "none"}}},
      {"sweep",
       {{"cluster.clusters", {"none", 2, 3, 8, 16}}, {"cluster.zero_smallest", {true, false}}}}};
  auto matrix = parse_matrix(json, "m.json");
  ASSERT_TRUE(matrix) << matrix.error().message;
  const auto made = make_plan(std::move(*matrix));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->configs.size(), 9U);
  const auto count = [&](StageKind kind) {
    return std::ranges::count(made->stages, kind, &Stage::kind);
  };
  EXPECT_EQ(count(StageKind::import_model), 1);
  EXPECT_EQ(count(StageKind::train), 1);
  EXPECT_EQ(count(StageKind::cluster), 8);
}

TEST_F(TransferPlan, TeachersAreFamilies) {
  const auto made = plan({{"student.from", save("net.onnx", foreign(28, 1))}, {"distill.T", 4.0}});
  ASSERT_TRUE(made) << made.error().message;
  std::size_t from_file = 0;
  for (const Stage& candidate : made->stages)
    from_file += candidate.kind == StageKind::train && candidate.settings.contains("transfer");
  EXPECT_EQ(from_file, 1U);
  EXPECT_EQ(std::ranges::count(made->stages, StageKind::train, &Stage::kind), 2);
}

}  // namespace
}  // namespace assay
