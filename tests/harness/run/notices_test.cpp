#include "harness/run/notices.hpp"

#include <gmock/gmock.h>

#include "harness/core/file.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Notices : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* stage : {"train", "prune", "cluster"})
      artifacts_.learned.push_back(folder_.path() / stage);
    artifacts_.model = folder_.path() / "quantize/model.onnx";
    artifacts_.evaluate = folder_.path() / "evaluate";
  }
  void write(const fs::path& name, std::string_view text) {
    ASSERT_TRUE(write_atomically(folder_.path() / name, text));
  }

  ScratchDirectory folder_ = ScratchDirectory::create(::testing::TempDir(), "notices-").value();
  CellArtifacts artifacts_;
};

TEST_F(Notices, NameEveryLayerThatWasLeftOutAndWhy) {
  write("train/training.json", R"({"epochs": [], "noise": {"layers": ["conv2"],
      "left_out": {"conv1": "its rows of 9 weights are not whole blocks of 8"}}})");
  write("prune/training.json", R"({"prune": {"left_out": {"dense": "it is the last"}}})");
  write("cluster/training.json", R"({"cluster": {"layers": {"conv1": {"left_out": "too few"},
      "conv2": {"centroids": 16}}}})");
  write("quantize/quantization.json", R"({"notices": ["conv1: 2 biases were clamped",
      "conv1: 2 biases were clamped", "conv2: 1 bias was clamped"]})");
  EXPECT_THAT(
      notices_of(artifacts_).value(),
      ElementsAre("noise: conv1 was left out, its rows of 9 weights are not whole blocks of 8",
                  "prune: dense was left out, it is the last",
                  "cluster: conv1 was left out, too few", "quantize: conv1: 2 biases were clamped",
                  "quantize: conv2: 1 bias was clamped"));
}

TEST_F(Notices, SayWhatLoweringChanged) {
  write("evaluate/evaluation.json",
        R"({"notices": ["conv1: 50 weights of -128 became -127", "Softmax is left to the host"]})");
  EXPECT_THAT(notices_of(artifacts_).value(),
              ElementsAre("lowering: conv1: 50 weights of -128 became -127",
                          "lowering: Softmax is left to the host"));
}

TEST_F(Notices, AreNoneWhereNothingWasNoted) {
  EXPECT_THAT(notices_of(artifacts_).value(), IsEmpty());
  write("train/training.json", R"({"epochs": []})");
  write("quantize/quantization.json", R"({"notices": []})");
  EXPECT_THAT(notices_of(artifacts_).value(), IsEmpty());
  EXPECT_THAT(notices_of(CellArtifacts{}).value(), IsEmpty());
}

TEST_F(Notices, OfADamagedFileAreAnError) {
  write("cluster/training.json", R"({"cluster": )");
  const auto notices = notices_of(artifacts_);
  ASSERT_FALSE(notices);
  EXPECT_EQ(notices.error().kind, ErrorKind::bad_input);
  EXPECT_NE(notices.error().message.find("cluster/training.json"), std::string::npos);
}

}  // namespace
}  // namespace assay
