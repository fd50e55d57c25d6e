// A trial on virtual boards: what every kernel costs on its own, against the same kernel measured
// as a network of one layer.
#include "targets/build/trial.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "harness/core/file.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string no_model(64, '7');

/// A layer of `graph` as a network.
IntegerGraph alone(const IntegerGraph& graph, std::size_t index) {
  IntegerGraph one = graph;
  one.layers = {graph.layers[index]};
  one.input = one.layers.front().inputs.front();
  one.output = one.layers.front().output;
  return one;
}

/// Every candidate and the reference kernel of every layer.
std::vector<TrialEntry> all_entries(const IntegerGraph& graph, const Core& core) {
  std::vector<TrialEntry> entries;
  for (std::size_t layer = 0; layer < graph.layers.size(); ++layer) {
    const LayerView view(graph, graph.layers[layer]);
    auto rows = candidate_kernels(view, core);
    const KernelRow& reference = reference_kernel(view.layer.op);
    if (rows.front()->name != reference.name) rows.push_back(&reference);
    for (const KernelRow* row : rows)
      entries.push_back({layer, row});
  }
  return entries;
}

class TrialOn : public ::testing::TestWithParam<const char*> {
 protected:
  Result<TrialCounts> run(const std::vector<TrialEntry>& entries) {
    FirmwareRequest build;
    auto model = generate_trial(graph_, entries, no_model);
    EXPECT_TRUE(model) << model.error().message;
    build.model = std::move(*model);
    build.board = board_.type;
    build.output_directory = scratch_.path() / "trial";
    const auto image = build_firmware(build);
    EXPECT_TRUE(image) << image.error().message;
    functions_ = image->functions;
    MeasureRequest request;
    request.elf = image->elf;
    request.build_id = image->build_id;
    request.model_hash = no_model;
    request.clock = image->clock;
    request.inputs = trial_requests(entries.size());
    for (const TrialEntry& entry : entries)
      for (const std::int8_t byte : trial_answer(graph_, entry.layer))
        request.expected_logits.push_back(byte);
    if (spoiled_) request.expected_logits[4 * *spoiled_] ^= 1;
    return desk_.count_samples(board_, request, {});
  }

  /// What the layer's network costs, which has nothing but this kernel.
  struct Alone {
    double instructions = 0;
    double code = 0;  ///< bytes, with what calls it
  };
  Alone alone_with(const TrialEntry& entry) {
    const IntegerGraph graph = alone(graph_, entry.layer);
    const KernelChoice choice{.layers = {entry.kernel}};
    const auto image = build_for(graph, board_.type, scratch_.path() / "alone", choice);
    const auto found = desk_.measure(board_, request_for(graph, image, 1), {});
    EXPECT_TRUE(found) << found.error().message;
    if (!found) return {};
    return {static_cast<double>(found->instructions->front().count()),
            static_cast<double>(image.rom_code.count())};
  }

  const IntegerGraph graph_ = small_network();
  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "trial");
  Board board_ = virtual_board("b", GetParam());
  Desk desk_ = *Desk::open({board_}, scratch_.path() / "locks");
  std::map<std::string, Bytes> functions_;
  std::optional<std::size_t> spoiled_;
};

TEST_P(TrialOn, CountsEveryKernelAsItsOwnNetworkDoes) {
  const auto entries = all_entries(graph_, board_.type.part.core);
  ASSERT_GE(entries.size(), 5u);
  const auto counts = run(entries);
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_THAT(counts->wrong, IsEmpty());
  ASSERT_THAT(counts->costs, SizeIs(entries.size()));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    SCOPED_TRACE(entries[i].kernel->name);
    const SampleCost& cost = counts->costs[i];
    EXPECT_EQ(cost.cycles.has_value(), !board_.type.part.runs_linux());
    if (cost.cycles) {
      EXPECT_GE(cost.cycles->count(), cost.instructions.count());
    }
    // Registers are kept in other places, the call is another; the loops are the same.
    const Alone alone = alone_with(entries[i]);
    const auto instructions = static_cast<double>(cost.instructions.count());
    const auto code = static_cast<double>(trial_code_bytes(functions_, i).count());
    std::cout << entries[i].kernel->name << ": " << instructions << " instructions, alone "
              << alone.instructions << "; " << code << " bytes of code, alone " << alone.code
              << "\n";
    const bool in_linux = board_.type.part.runs_linux();
    EXPECT_NEAR(instructions, alone.instructions, 5 + alone.instructions / (in_linux ? 200 : 500));
    // A firmware has what calls the kernel, too, and what several layers share: the Cortex-M0's
    // convolutions pack their patches in 190 bytes that no layer's name is on.
    // Registers saved around the call take a few bytes either way, under Linux more of them.
    EXPECT_LE(code, alone.code + (in_linux ? 16 : 8));
    EXPECT_GE(code, alone.code - (in_linux ? 48 : 24) -
                        (board_.type.part.core.name == "cortex-m0" ? 190 : 0));
  }
}

TEST_P(TrialOn, NamesTheEntryWithOtherOutputs) {
  spoiled_ = 1;
  const auto counts = run(all_entries(graph_, board_.type.part.core));
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_THAT(counts->wrong, ElementsAre(1));
}

TEST_P(TrialOn, NeedsAVirtualBoard) {
  Board real = board_;
  real.virtual_board = false;
  const auto counts = desk_.count_samples(real, {}, {});
  ASSERT_FALSE(counts);
  EXPECT_EQ(counts.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(counts.error().message, HasSubstr("only a virtual board can"));
}

INSTANTIATE_TEST_SUITE_P(Parts, TrialOn,
                         ::testing::Values("stm32f405", "stm32f030cc", "raspberry-pi-zero",
                                           "raspberry-pi-4"));

}  // namespace
}  // namespace assay::test
