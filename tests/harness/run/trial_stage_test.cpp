// Kernels tried on virtual boards: in as many firmwares as the flash asks for, by instructions
// under Linux, and the ways in which they cannot be tried.
#include "harness/run/trial_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/run/bench_graph.hpp"
#include "harness/run/kernel_selection.hpp"
#include "targets/graph/lower.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string some_model() {
  test::QdqBuilder network(1, 1, 10, 10);
  const auto image = network.conv(network.input(), {.outputs = 4}, "Relu");
  return onnx::serialize_model(network.finish(network.dense(network.flatten(image), 20)));
}

/// A convolution with nine weights of ten zero, and a dense layer with none.
std::string half_pruned_model() {
  test::QdqBuilder network(1, 16, 8, 8);
  const auto pruned = network.conv(network.input(), {.outputs = 32}, "Relu");
  onnx::Model model = network.finish(network.dense(network.flatten(pruned), 10));
  std::size_t made = 0;
  for (auto& [name, tensor] : model.initializers) {
    if (tensor.type != onnx::ElementType::int8 || tensor.shape.size() < 2) continue;
    const bool prune = tensor.shape.size() == 4;
    ++made;
    for (std::size_t i = 0; i < tensor.data.size(); ++i)
      if (prune && i % 10 != i / 160 % 10)
        tensor.data[i] = std::byte{0};
      else if (tensor.data[i] == std::byte{0})
        tensor.data[i] = std::byte{1};
  }
  EXPECT_EQ(made, 2u);
  return onnx::serialize_model(model);
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

class TrialUnderLinux : public TrialStage, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_atomically(model_, half_pruned_model()));
    type_ = *find_board_type(GetParam());
  }
  KernelSelection choose(Optimize optimize) {
    const IntegerGraph graph = *lower(*onnx::read_model(model_), model_);
    const auto selection =
        select_kernels(graph, type_.part.core, tried(), {optimize, {}, {}}, {clock_});
    EXPECT_TRUE(selection) << selection.error().message;
    return *selection;
  }
};

/// What the kernels of a trial cost together.
struct Sums {
  std::uint64_t instructions = 0;
  std::uint64_t flash = 0;
};

Sums sums_of(const KernelSelection& selection) {
  Sums sums;
  for (const Json& layer : selection.layers) {
    sums.instructions += layer.at("instructions").get<std::uint64_t>();
    sums.flash += layer.at("constant_bytes").get<std::uint64_t>() +
                  layer.at("code_bytes").get<std::uint64_t>();
  }
  return sums;
}

Sums sums_of_first(const Trial& trial) {
  Sums sums;
  for (const auto& kernels : trial.layers) {
    EXPECT_EQ(kernels.front().form, WeightForm::int8);
    sums.instructions += kernels.front().instructions->count();
    sums.flash += flash_of(kernels.front()).count();
  }
  return sums;
}

TEST_P(TrialUnderLinux, CountsInstructionsAndNoCycles) {
  const Trial trial = tried();
  EXPECT_EQ(trial.notice, "");
  EXPECT_FALSE(trial.flash_left || trial.ram_left);
  ASSERT_EQ(trial.layers.size(), 2u);
  EXPECT_GE(trial.layers[0].size(), 3u);
  for (const auto& kernels : trial.layers)
    for (const TriedKernel& kernel : kernels) {
      ASSERT_TRUE(kernel.instructions && kernel.code) << kernel.kernel << kernel.refused;
      EXPECT_FALSE(kernel.cycles);
      EXPECT_EQ(kernel.work(), kernel.instructions->count());
      EXPECT_GT(kernel.code->count(), 0u) << kernel.kernel;
    }
}

TEST_P(TrialUnderLinux, ASparseKernelRunsThePrunedLayerAndADenseOneTheOther) {
  const KernelSelection chosen = choose(Optimize::latency);
  ASSERT_EQ(chosen.choice.layers.size(), 2u);
  const WeightForm pruned = chosen.choice.layers[0]->form;
  EXPECT_TRUE(pruned == WeightForm::unstructured || pruned == WeightForm::bitmap)
      << to_string(pruned);
  EXPECT_EQ(chosen.choice.layers[1]->form, WeightForm::int8);
  EXPECT_LT(sums_of(chosen).instructions, sums_of_first(tried()).instructions);
  EXPECT_THAT(chosen.notices, ElementsAre(HasSubstr("which are not time")));
}

TEST_P(TrialUnderLinux, IsNeverWorseThanDenseInt8InWhatIsAskedFor) {
  const Sums dense = sums_of_first(tried());
  EXPECT_LT(sums_of(choose(Optimize::flash)).flash, dense.flash);
  const Sums balanced = sums_of(choose(Optimize::balanced));
  EXPECT_LE(balanced.flash, dense.flash);
  EXPECT_LE(balanced.instructions, dense.instructions);
}

/// The network as it is built and run executes what its layers were counted to, one by one, but for
/// how addresses are made there.
TEST_P(TrialUnderLinux, ForeseesWhatTheNetworkExecutes) {
  const KernelSelection chosen = choose(Optimize::latency);
  const IntegerGraph graph = *lower(*onnx::read_model(model_), model_);
  const Board board = implicit_virtual_board(type_);
  auto desk = *Desk::open({board}, folder_.path() / "locks");
  const auto executed = [&](const KernelChoice& choice) {
    const BenchOrder order{"half pruned", graph, choice, 1};
    const auto run = bench_graph(order, board, desk, folder_.path(), {});
    EXPECT_TRUE(run) << run.error().message;
    return run ? run->instructions : 0;
  };
  const double fast = executed(chosen.choice);
  EXPECT_NEAR(fast, static_cast<double>(sums_of(chosen).instructions), fast / 50);
  EXPECT_LT(fast, executed({}));
}

TEST_P(TrialUnderLinux, IsANoticeWhereInstructionsCannotBeCounted) {
  setenv("ASSAY_BUILD", folder_.path().c_str(), 1);
  const Trial trial = tried();
  unsetenv("ASSAY_BUILD");
  EXPECT_TRUE(trial.layers.empty());
  EXPECT_THAT(trial.notice, AllOf(HasSubstr("no instructions can be counted, for "),
                                  HasSubstr("build the target linux_count_plugin")));
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const Trial untooled = tried();
  setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(untooled.notice, HasSubstr("is not installed: install the package"));
}

INSTANTIATE_TEST_SUITE_P(Boards, TrialUnderLinux,
                         ::testing::Values("raspberry-pi-zero", "raspberry-pi-4", "jetson-nano"));

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
