// QEMU against the virtual boards: the same code answers with the same logits and executes the same
// number of instructions between the markers.
//
// For the F405 it is the same ELF. QEMU has none of the other chips, so their cores run the same
// model code and the same prebuilt runtime linked for another machine's memory map (the
// Cortex-M0+'s on a Cortex-M0, which has the same instructions); Thumb code is placed in units
// whose literal pools and alignment do not depend on where they come to lie, so the counts must be
// the same there too.
#include <gtest/gtest.h>

#include "boards/link/pipe_link.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/support/qemu.hpp"
#include "tests/targets/build/device_program.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay::test {
namespace {

using namespace std::chrono_literals;

constexpr int samples = 40;
constexpr std::size_t inferences = 3;

/// What one emulator says of one ELF.
struct Opinion {
  std::vector<std::int8_t> logits;
  std::vector<std::uint64_t> instructions;
};

Opinion qemu_opinion(const std::string& machine, const std::filesystem::path& elf,
                     std::span<const std::int8_t> inputs, const std::filesystem::path& folder) {
  const auto counts = folder / "counts.jsonl";
  Opinion opinion;
  {
    QemuSpec spec;
    spec.machine = machine;
    spec.elf = elf;
    ProcessSpec process;
    process.arguments = qemu_command(spec, counts);
    const auto link = *PipeLink::start(process, machine);
    auto session = Session::open(*link, 20s);
    EXPECT_TRUE(session) << session.error().message;
    if (!session) return opinion;
    EXPECT_TRUE(session->stream(inputs, [&](std::size_t, std::span<const std::int8_t> logits) {
      opinion.logits.insert(opinion.logits.end(), logits.begin(), logits.end());
    }));
    EXPECT_TRUE(session->measure(inputs.first(session->hello().input_size), inferences));
  }
  const auto windows = read_windows(counts);
  EXPECT_TRUE(windows) << windows.error().message;
  for (const auto& window : windows.value_or(std::vector<InstructionWindow>()))
    opinion.instructions.push_back(window.total);
  return opinion;
}

class SecondOpinion : public ::testing::Test {
 protected:
  /// Logits are compared on the way: the desk expects those of `qemu`.
  void expect_same(const Board& board, const FirmwareImage& image, const Opinion& qemu) {
    MeasureRequest request = request_for(small_network(), image, samples);
    EXPECT_EQ(request.expected_logits, qemu.logits) << "QEMU and the reference run";
    request.expected_logits = qemu.logits;
    request.inferences = inferences;
    Desk desk = *Desk::open({board}, scratch_.path() / "locks");
    const auto found = desk.measure(board, request, {});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->identical_samples, std::size_t{samples});
    std::vector<std::uint64_t> instructions;
    for (const auto& count : *found->instructions)
      instructions.push_back(count.count());
    EXPECT_EQ(instructions, qemu.instructions);
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "opinion");
  std::vector<std::int8_t> inputs_ = seeded_inputs(small_network(), samples);
};

TEST_F(SecondOpinion, OnTheF405sOwnElf) {
  const Board board = virtual_board("b", "stm32f405");
  const FirmwareImage image = build_for(small_network(), board.type, scratch_.path() / "firmware");
  expect_same(board, image, qemu_opinion("netduinoplus2", image.elf, inputs_, scratch_.path()));
}

struct Objects {
  const char* part;     ///< whose model code and runtime they are
  const char* machine;  ///< QEMU's, which runs them
  Part (*machine_part)();
};

class SecondOpinionOnObjects : public SecondOpinion,
                               public ::testing::WithParamInterface<Objects> {};

TEST_P(SecondOpinionOnObjects, Agrees) {
  const Objects& objects = GetParam();
  const Board board = virtual_board("b", objects.part);
  const FirmwareImage image = build_for(small_network(), board.type, scratch_.path() / "firmware");
  const auto source = scratch_.path() / "model.cpp";
  ASSERT_TRUE(write_atomically(source, generate_for(small_network(), board.type.part.core).source));
  const auto root = source_root();
  Part machine = objects.machine_part();
  machine.core = board.type.part.core;
  const auto elf = build_device_program(
      {machine,
       {source, root / "targets" / "wire" / "firmware_main.cpp",
        root / "tests" / "targets" / "build" / "device" / (machine.name + "_board.cpp")},
       {"-DASSAY_INPUT_SIZE=144", "-DASSAY_PART_NAME=\"" + machine.name + "\""},
       scratch_.path()});
  ASSERT_TRUE(elf) << elf.error().message;
  expect_same(board, image, qemu_opinion(objects.machine, *elf, inputs_, scratch_.path()));
}

INSTANTIATE_TEST_SUITE_P(Cores, SecondOpinionOnObjects,
                         ::testing::Values(Objects{"stm32f030cc", "microbit", microbit_part},
                                           Objects{"stm32g0b1", "microbit", microbit_part},
                                           Objects{"stm32u575", "mps2-an505", an505_part}),
                         [](const auto& param) { return std::string(param.param.part); });

}  // namespace
}  // namespace assay::test
