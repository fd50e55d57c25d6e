// Networks of int16 with squeezes and excites, joined branches and residuals, on virtual boards and
// an emulated Linux core: every logit the interpreter's, and no layer left to a reference kernel
// that has a faster one.
#include <gtest/gtest.h>

#include <set>

#include "harness/core/file.hpp"
#include "targets/graph/lower.hpp"
#include "targets/pack/kernel.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/targets/graph/random_networks.hpp"

namespace assay::test {
namespace {

constexpr int samples = 5;

class WideDesk : public ::testing::TestWithParam<const char*> {};

TEST_P(WideDesk, ConfirmsEveryLogitOfBranches) {
  const auto scratch = ScratchDirectory::create(::testing::TempDir(), "wide-desk");
  ASSERT_TRUE(scratch);
  const Board board = virtual_board("b", GetParam());
  Desk desk = *Desk::open({board}, scratch->path() / "locks");
  std::set<IntegerOp> seen;
  for (const unsigned seed : {0u, 1u, 2u}) {
    SCOPED_TRACE(seed);
    const auto graph = lower(wide_random_branches(seed));
    ASSERT_TRUE(graph) << graph.error().message;
    for (const IntegerLayer& layer : graph->layers) {
      seen.insert(layer.op);
      const LayerView view(*graph, layer);
      const KernelRow& row = choose_kernel(view, board.type.part.core);
      if (has_weights(layer.op) || layer.op == IntegerOp::lookup) continue;
      EXPECT_NE(row.name, reference_kernel(view).name);
    }
    const auto image = build_for(*graph, board.type, scratch->path() / "firmware");
    const auto found = desk.measure(board, request_for(*graph, image, samples), {});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->identical_samples, std::size_t{samples});
    EXPECT_EQ(found->hello.input_element, Element::int16);
  }
  for (const IntegerOp op : {IntegerOp::multiply, IntegerOp::concat, IntegerOp::average_pool})
    EXPECT_TRUE(seen.contains(op)) << to_string(op);
}

INSTANTIATE_TEST_SUITE_P(Boards, WideDesk,
                         ::testing::Values("stm32f030cc", "stm32f405", "stm32h743", "stm32u575",
                                           "raspberry-pi-4", "raspberry-pi-zero"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace assay::test
