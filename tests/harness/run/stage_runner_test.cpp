// Stages that run in the worker, with a shell script in its place.
#include "harness/run/stage_runner.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <thread>

#include "harness/core/file.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// A worker that notes its --checkpoints folder and its instruction set, leaves a state there and,
/// where one is left from before, says so in its result; a file "result" is copied there too. It
/// ends with the code that stands in the file "code".
constexpr const char* script = R"(#!/bin/sh
out=$3
[ "$4" = --checkpoints ] && kept=$5
echo "$kept" >> "$(dirname "$0")/folders"
echo "$ATEN_CPU_CAPABILITY $ONEDNN_MAX_CPU_ISA $OPENBLAS_CORETYPE" > "$(dirname "$0")/cpu"
code=$(cat "$(dirname "$0")/code")
if [ -n "$kept" ]; then
  [ -e "$kept/checkpoint.pt" ] && cp "$kept/checkpoint.pt" "$out/model.onnx"
  [ "$code" = 2 ] || echo state > "$kept/checkpoint.pt"
fi
[ -e "$(dirname "$0")/result" ] && cp "$(dirname "$0")/result" "$out"
[ "$code" = 0 ] || echo "the worker's own sentence" >&2
[ "$code" = wait ] && exec sleep 60
exit "$code"
)";

class StageRunner : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_atomically(worker_ / "assay-train", std::string_view(script)));
    fs::permissions(worker_ / "assay-train", fs::perms::owner_all);
    ASSERT_EQ(::setenv("ASSAY_BUILD", worker_.c_str(), 1), 0);
    stage_.key = "0123456789abcdef";
    stage_.settings = Json::object();
  }
  void TearDown() override { ::unsetenv("ASSAY_BUILD"); }

  Result<fs::path> run(const std::string& code, std::stop_token stop = {}) {
    EXPECT_TRUE(write_atomically(worker_ / "code", code));
    return ensure_stage(
        cache_, stage_, {}, [](double, const std::string&) {}, std::move(stop));
  }
  /// The --checkpoints of every call so far, empty where there was none.
  std::string folders() const { return read_text(worker_ / "folders").value_or(""); }
  fs::path kept() const { return cache_.root() / "checkpoints" / stage_.key; }

  ScratchDirectory home_ = ScratchDirectory::create(::testing::TempDir(), "runner-").value();
  fs::path worker_ = home_.path() / "worker";
  StageCache cache_{home_.path() / "cache"};
  Stage stage_;
};

TEST_F(StageRunner, GoesOnFromWhatAFailedRunKept) {
  const auto failed = run("3");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "the worker's own sentence");
  EXPECT_EQ(read_text(kept() / "checkpoint.pt").value_or(""), "state\n");

  const auto done = run("0");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(read_text(*done / "model.onnx").value_or(""), "state\n");
  EXPECT_EQ(folders(), kept().string() + "\n" + kept().string() + "\n");
  EXPECT_FALSE(fs::exists(kept()));
}

TEST_F(StageRunner, GoesOnFromWhatAnInterruptedRunKept) {
  std::stop_source stop;
  std::jthread user([&] {
    while (!fs::exists(kept() / "checkpoint.pt"))
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop.request_stop();
  });
  const auto stopped = run("wait", stop.get_token());
  user.join();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::interrupted);
  EXPECT_TRUE(fs::exists(kept() / "checkpoint.pt"));
  EXPECT_TRUE(fs::is_empty(cache_.root() / "scratch"));

  const auto done = run("0");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(read_text(*done / "model.onnx").value_or(""), "state\n");
  EXPECT_FALSE(fs::exists(kept()));
}

// So that the worker need not load Torch twice.
TEST_F(StageRunner, StartsTheWorkerWithItsInstructionSet) {
  stage_.settings = {{"cpu", "baseline"}};
  ASSERT_TRUE(run("0"));
  EXPECT_EQ(read_text(worker_ / "cpu").value_or(""), "default SSE41 Nehalem\n");
}

TEST_F(StageRunner, MakesADamagedResultAgain) {
  stage_.kind = StageKind::logits;
  ASSERT_TRUE(write_atomically(worker_ / "result", std::string_view("whole")));
  const auto first = run("0");
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_EQ(folders(), "\n");
  EXPECT_TRUE(run("0"));
  EXPECT_EQ(folders(), "\n");  // is there
  ASSERT_TRUE(write_atomically(*first / "result", std::string_view("whale")));
  const auto again = run("0");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(folders(), "\n\n");
  EXPECT_EQ(read_text(*again / "result").value_or(""), "whole");
}

TEST_F(StageRunner, LeavesNoEmptyFolderBehind) {
  EXPECT_FALSE(run("2"));
  EXPECT_FALSE(fs::exists(kept()));
}

TEST_F(StageRunner, GivesAStageThatDoesNotLearnNoFolder) {
  for (const auto kind : {StageKind::logits, StageKind::evaluate_torch}) {
    stage_.kind = kind;
    EXPECT_TRUE(run("0"));
  }
  EXPECT_EQ(folders(), "\n\n");
  EXPECT_FALSE(fs::exists(kept()));
}

}  // namespace
}  // namespace assay
