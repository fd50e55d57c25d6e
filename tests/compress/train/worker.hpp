// The worker as harness uses it: a process with a description and a folder, on real data.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "compress/train/stage_description.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"

namespace assay {

namespace fs = std::filesystem;

/// A network that takes a second to train.
inline TrainStage tiny_training() {
  TrainStage work;
  work.start = ModelChoice{"conv5", 4, 50};
  work.learning.settings.epochs = 2;
  work.learning.settings.batch = 64;
  work.learning.settings.images = 1024;
  return work;
}

class Worker : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDirectory::create(::testing::TempDir(), "worker");
    ASSERT_TRUE(scratch) << scratch.error().message;
    scratch_.emplace(std::move(*scratch));
  }

  fs::path folder(const std::string& name) const {
    fs::create_directories(scratch_->path() / name);
    return scratch_->path() / name;
  }

  ProcessSpec command(const std::string& description, const std::string& out) const {
    const fs::path file = scratch_->path() / (out + ".json");
    EXPECT_TRUE(write_atomically(file, description));
    ProcessSpec spec;
    spec.arguments = {own_program("assay-train").string(), file.string(), "--out",
                      folder(out).string()};
    return spec;
  }

  ProcessOutcome run(const ProcessSpec& spec, std::stop_token stop = {}) const {
    const auto outcome = run_process(spec, std::move(stop));
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome.value_or(ProcessOutcome{});
  }

  /// Runs a stage that must succeed; its folder.
  template <class Work>
  fs::path stage(const std::string& name, Work work) const {
    StageDescription description;
    description.work = std::move(work);
    const auto outcome = run(command(to_json(description).dump(), name));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    EXPECT_EQ(outcome.errors, "");
    last_output_ = outcome.output;
    return folder(name);
  }

  static std::string text(const fs::path& path) { return read_text(path).value_or(""); }
  static Json json(const fs::path& path) { return read_json_file(path).value_or(Json{}); }

  std::optional<ScratchDirectory> scratch_;
  mutable std::string last_output_;
};

}  // namespace assay
