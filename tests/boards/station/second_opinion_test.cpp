// QEMU against the virtual boards: the same code answers with the same logits and executes the same
// number of instructions between the markers.
//
// For the F405 it is the same ELF. QEMU has none of the other chips, so their cores run the same
// model code and the same prebuilt runtime linked for another machine's memory map (the
// Cortex-M0+'s on a Cortex-M0, which has the same instructions); Thumb code is placed in units
// whose literal pools and alignment do not depend on where they come to lie, so the counts must be
// the same there too.
#include <gtest/gtest.h>

#include "harness/core/file.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/boards/station/qemu_opinion.hpp"
#include "tests/targets/build/test_network.hpp"
#include "tests/targets/graph/float_form.hpp"

namespace assay::test {
namespace {

constexpr int samples = 40;
constexpr std::size_t inferences = 3;

class SecondOpinion : public ::testing::Test {
 protected:
  /// Logits are compared on the way: the desk expects those of `qemu`.
  void expect_same(const IntegerGraph& graph, const Board& board, const FirmwareImage& image,
                   const QemuOpinion& qemu) {
    MeasureRequest request = request_for(graph, image, samples);
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

  void expect_same_of_elf(const IntegerGraph& graph) {
    const Board board = virtual_board("b", "stm32f405");
    const auto folder = *ScratchDirectory::create(scratch_.path(), "firmware");
    const FirmwareImage image = build_for(graph, board.type, folder.path());
    const auto opinion = qemu_opinion("netduinoplus2", image.elf, seeded_inputs(graph, samples),
                                      inferences, folder.path());
    ASSERT_TRUE(opinion) << opinion.error().message;
    expect_same(graph, board, image, *opinion);
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "opinion");
};

TEST_F(SecondOpinion, OnTheF405sOwnElf) {
  expect_same_of_elf(small_network());
}

TEST_F(SecondOpinion, OnTheF405sOwnElfInFloat) {
  for (const FloatForm form : float_forms)
    expect_same_of_elf(in_float(small_network(), form));
}

TEST_F(SecondOpinion, OnTheF405sOwnElfInInt16) {
  expect_same_of_elf(in_int16(small_network()));
}

class SecondOpinionOnObjects : public SecondOpinion,
                               public ::testing::WithParamInterface<QemuStandIn> {
 protected:
  void expect_agreement(const IntegerGraph& graph);
};

void SecondOpinionOnObjects::expect_agreement(const IntegerGraph& graph) {
  const QemuStandIn& stand_in = GetParam();
  const Board board = virtual_board("b", stand_in.part);
  const FirmwareImage image = build_for(graph, board.type, scratch_.path() / "firmware");
  const auto elf =
      build_for_stand_in(stand_in, generate_for(graph, board.type.part.core), scratch_.path());
  ASSERT_TRUE(elf) << elf.error().message;
  const auto opinion = qemu_opinion(stand_in.machine, *elf, seeded_inputs(graph, samples),
                                    inferences, scratch_.path());
  ASSERT_TRUE(opinion) << opinion.error().message;
  expect_same(graph, board, image, *opinion);
}

TEST_P(SecondOpinionOnObjects, Agrees) {
  expect_agreement(small_network());
}

TEST_P(SecondOpinionOnObjects, AgreesInFloat) {
  expect_agreement(in_float(small_network(), FloatForm::float16));
}

TEST_P(SecondOpinionOnObjects, AgreesInInt16) {
  expect_agreement(in_int16(small_network()));
}

INSTANTIATE_TEST_SUITE_P(Cores, SecondOpinionOnObjects, ::testing::ValuesIn(qemu_stand_ins()),
                         [](const auto& param) { return std::string(param.param.part); });

}  // namespace
}  // namespace assay::test
