// Kernels tried on virtual boards: in as many firmwares as the flash asks for, and the ways in
// which they cannot be tried.
#include "harness/run/trial_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;

std::string some_model() {
  test::QdqBuilder network(1, 1, 10, 10);
  const auto image = network.conv(network.input(), {.outputs = 4}, "Relu");
  return onnx::serialize_model(network.finish(network.dense(network.flatten(image), 20)));
}

/// Constants and code of what was tried.
Bytes flash_of(const TriedKernel& tried) {
  return tried.constants + tried.code.value_or(Bytes(0));
}

class TrialStage : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(write_atomically(model_, some_model())); }

  Status run(std::stop_token stop = {}) {
    return try_kernels_stage({model_, type_, clock_, "-O2"}, folder_.path() / "result", stop);
  }
  Trial tried() {
    const auto done = run();
    EXPECT_TRUE(done) << done.error().message;
    auto trial = read_trial(folder_.path() / "result" / "trial.json");
    EXPECT_TRUE(trial) << trial.error().message;
    return trial.value_or(Trial{});
  }
  void set_flash(Bytes size) { type_.part.memory.front().size = size; }

  ScratchDirectory folder_ = *ScratchDirectory::create(::testing::TempDir(), "trial-stage");
  std::filesystem::path model_ = folder_.path() / "model.onnx";
  BoardType type_ = *find_board_type("stm32f405");
  Hertz clock_ = type_.clock;
};

TEST_F(TrialStage, TakesSeveralFirmwaresWhereTheFlashIsSmall) {
  const Trial whole = tried();
  ASSERT_EQ(whole.layers.size(), 2u);
  Bytes sum, largest;
  for (const auto& kernels : whole.layers)
    for (const TriedKernel& kernel : kernels) {
      ASSERT_TRUE(kernel.cycles && kernel.code) << kernel.kernel << kernel.refused;
      sum += flash_of(kernel);
      largest = std::max(largest, flash_of(kernel));
    }
  // All but for the largest, and hardly more than that: at least two firmwares.
  const Bytes room = std::max(largest + Bytes(300), sum - largest);
  ASSERT_LT(room, sum);

  const Bytes around = type_.part.flash().size - *whole.flash_left;
  set_flash(around + room);
  const Trial parts = tried();
  for (std::size_t layer = 0; layer < 2; ++layer)
    for (std::size_t k = 0; k < whole.layers[layer].size(); ++k) {
      // How an address is made, and which weights share a line of the flash's buffer, depends on
      // what lies beside it.
      const auto cycles = static_cast<double>(whole.layers[layer][k].cycles->count());
      ASSERT_TRUE(parts.layers[layer][k].cycles);
      EXPECT_NEAR(static_cast<double>(parts.layers[layer][k].cycles->count()), cycles, cycles / 50);
      EXPECT_EQ(parts.layers[layer][k].constants, whole.layers[layer][k].constants);
    }

  // The largest alone is too large now, the others are tried.
  set_flash(around + largest - Bytes(200));
  std::size_t refused = 0, run = 0;
  for (const auto& kernels : tried().layers)
    for (const TriedKernel& kernel : kernels) {
      ++(kernel.cycles ? run : refused);
      if (kernel.cycles) continue;
      EXPECT_THAT(kernel.refused, HasSubstr("alone it does not fit: region FLASH of stm32f405"));
    }
  EXPECT_EQ(refused, 1u);
  EXPECT_GE(run, 1u);
}

TEST_F(TrialStage, RunsAtTheClockThatIsAskedFor) {
  const Trial fast = tried();
  clock_ = Hertz(24'000'000);  // no wait states, where 168 MHz has five
  const Trial slow = tried();
  for (std::size_t layer = 0; layer < 2; ++layer)
    for (std::size_t k = 0; k < fast.layers[layer].size(); ++k) {
      EXPECT_LT(slow.layers[layer][k].cycles, fast.layers[layer][k].cycles);
      EXPECT_EQ(slow.layers[layer][k].code, fast.layers[layer][k].code);
    }
}

TEST_F(TrialStage, ABoardThatCannotBeSetUpIsNotTakenForNoBoard) {
  type_.name = "nobodys-board";
  const auto done = run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(done.error().message, HasSubstr("nobodys-board"));
}

TEST_F(TrialStage, StopsWhenInterrupted) {
  std::stop_source source;
  source.request_stop();
  const auto done = run(source.get_token());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::interrupted);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "result" / "trial.json"));
}

TEST_F(TrialStage, ReadsNoKernelThatIsNotInTheTable) {
  const auto file = folder_.path() / "trial.json";
  ASSERT_TRUE(write_atomically(file, std::string_view(R"({"part": "p", "layers": [[
      {"kernel": "conv.magic", "constant_bytes": 1, "scratch_bytes": 0}]]})")));
  const auto trial = read_trial(file);
  ASSERT_FALSE(trial);
  EXPECT_THAT(trial.error().message, HasSubstr("layers[0][0].kernel"));
}

}  // namespace
}  // namespace assay
