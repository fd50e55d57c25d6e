// The figures of `bench kernels`: the bars that kernels are held to on every core, and that what is
// printed has them.
#include "harness/run/kernel_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "harness/core/file.hpp"
#include "targets/pack/bench_shapes.hpp"
#include "targets/pack/kernel.hpp"

namespace assay {
namespace {

/// Most instructions per multiply-accumulate of the round shapes in dense int8.
struct Bars {
  const char* part;
  double conv3, conv1, depthwise, dense;
  double scratch;  ///< most bytes
};

class KernelBench : public ::testing::TestWithParam<Bars> {
 protected:
  /// The kernel's figure of a shape, which has its name to itself; the reference kernel's is first.
  KernelFigure figure(const char* shape) const {
    const Board board = implicit_virtual_board(*find_board_type(GetParam().part));
    const auto found = bench_kernels(board, shape, scratch_.path(), {});
    if (!found) {
      ADD_FAILURE() << found.error().message;
      return {};
    }
    EXPECT_EQ(found->size(), 2u) << shape;
    EXPECT_TRUE(found->front().kernel.ends_with(".reference"));
    return found->back();
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "bench");
};

TEST_P(KernelBench, KeepsTheBarsInLittleCodeAndScratch) {
  const Bars& bars = GetParam();
  const std::pair<const char*, double> shapes[] = {{"conv 3x3 16->16 16x16", bars.conv3},
                                                   {"conv 1x1 64->64 8x8", bars.conv1},
                                                   {"depthwise 3x3 64 8x8", bars.depthwise},
                                                   {"dense 256->64", bars.dense}};
  for (const auto& [shape, bar] : shapes) {
    SCOPED_TRACE(shape);
    const KernelFigure one = figure(shape);
    EXPECT_LE(one.instructions, bar * one.macs);
    EXPECT_GT(one.instructions, 0.5 * one.macs) << "no kernel of these cores makes three at once";
    EXPECT_GT(one.code_bytes, 0);
    EXPECT_LT(one.code_bytes, 2048);
    EXPECT_LE(one.scratch_bytes, bars.scratch);
    EXPECT_GE(one.cycles.value_or(0), one.instructions * 0.5);
    EXPECT_GT(one.words_loaded.value_or(0), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, KernelBench,
                         ::testing::Values(Bars{"stm32f405", 0.85, 0.88, 1.8, 0.97, 2048},
                                           Bars{"stm32f746", 0.85, 0.88, 1.8, 0.97, 2048},
                                           Bars{"stm32u575", 0.85, 0.88, 1.8, 0.97, 2048},
                                           Bars{"stm32f030cc", 2.4, 2.5, 4.7, 3.35, 4096}),
                         [](const auto& test) { return test.param.part; });

/// One figure for a name on each core: two rows of a name are for different cores.
TEST(BenchShapes, HaveNamesOfTheirOwnOnEveryCore) {
  for (const char* name : {"cortex-m0", "cortex-m4f", "cortex-m7", "cortex-m33", "cortex-a72"}) {
    const auto core = load_core(name);
    ASSERT_TRUE(core) << core.error().message;
    std::map<std::string_view, int> benched;
    for (const BenchShape& shape : bench_shapes()) {
      const IntegerGraph graph = single_layer_graph(shape.shape, 1, shape.fill);
      const LayerView view(graph, graph.layers.front());
      const KernelRow* row = shape.kernel.empty() ? find_kernel(view, *core, shape.form)
                                                  : find_kernel_named(view, *core, shape.kernel);
      EXPECT_LE(benched[shape.name] += row != nullptr, 1) << name << ": " << shape.name;
    }
    const auto none = [](const auto& one) { return one.second == 0; };
    EXPECT_LT(std::ranges::count_if(benched, none), 12) << name;
  }
}

}  // namespace
}  // namespace assay
