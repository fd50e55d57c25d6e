// What awkward shapes cost per multiply-accumulate on Cortex-M0, beside the nearest round one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

constexpr double most = 1.6;

Window window(int kernel, int stride = 1, int pad = 0) {
  return {kernel, kernel, stride, stride, pad, pad, pad, pad};
}

/// The same work in a shape that suits the kernels and in one that does not.
struct Pair {
  const char* what;
  SingleLayer round;
  SingleLayer awkward;
};

const Pair pairs[] = {
    {"odd image",
     {IntegerOp::convolution, 12, 12, 16, 16, window(3, 1, 1)},
     {IntegerOp::convolution, 11, 13, 16, 16, window(3, 1, 1)}},
    {"odd channels",
     {IntegerOp::convolution, 12, 12, 16, 16, window(3, 1, 1)},
     {IntegerOp::convolution, 12, 12, 15, 13, window(3, 1, 1)}},
    {"stride 2",
     {IntegerOp::convolution, 12, 12, 16, 16, window(3, 1, 1)},
     {IntegerOp::convolution, 24, 24, 16, 16, window(3, 2, 1)}},
    {"stride 2, all odd",
     {IntegerOp::convolution, 12, 12, 16, 16, window(3, 1, 1)},
     {IntegerOp::convolution, 21, 23, 15, 13, window(3, 2, 1)}},
    {"odd pointwise",
     {IntegerOp::convolution, 8, 8, 32, 32, window(1)},
     {IntegerOp::convolution, 7, 9, 31, 33, window(1)}},
    {"pointwise, stride 2",
     {IntegerOp::convolution, 8, 8, 32, 32, window(1)},
     {IntegerOp::convolution, 15, 15, 32, 32, window(1, 2)}},
    {"odd depthwise",
     {IntegerOp::depthwise, 8, 8, 32, 32, window(3, 1, 1)},
     {IntegerOp::depthwise, 9, 7, 31, 31, window(3, 1, 1)}},
    {"depthwise, stride 2",
     {IntegerOp::depthwise, 8, 8, 32, 32, window(3, 1, 1)},
     {IntegerOp::depthwise, 16, 16, 32, 32, window(3, 2, 1)}},
    {"wide depthwise",
     {IntegerOp::depthwise, 8, 8, 32, 32, window(3, 1, 1)},
     {IntegerOp::depthwise, 6, 40, 8, 8, window(3, 1, 1)}},
    {"odd dense", {IntegerOp::dense, 1, 1, 128, 32, {}}, {IntegerOp::dense, 1, 1, 127, 31, {}}},
    {"ten classes", {IntegerOp::dense, 1, 1, 128, 32, {}}, {IntegerOp::dense, 1, 1, 128, 10, {}}},
};

TEST(AwkwardShapesOnM0, CostAtMostSixTenthsMoreThanRoundOnes) {
  const KernelCore& core = kernel_cores()[2];
  std::vector<KernelCase> cases;
  for (const Pair& pair : pairs)
    for (const SingleLayer& shape : {pair.round, pair.awkward}) {
      const IntegerGraph graph = single_layer_graph(shape, 7);
      cases.push_back({pair.what, graph, &choose_kernel(view_of(graph), core_of(core))});
    }
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  const auto per_mac = [&](std::size_t i) {
    return static_cast<double>((*outcomes)[i][0].instructions.count()) /
           static_cast<double>(cases[i].graph.layers[0].macs.count());
  };
  for (std::size_t i = 0; i < cases.size(); i += 2) {
    fmt::print("{:24} {:.2f}, round {:.2f}: {:.2f} times\n", cases[i].name, per_mac(i + 1),
               per_mac(i), per_mac(i + 1) / per_mac(i));
    EXPECT_LE(per_mac(i + 1), most * per_mac(i)) << cases[i].name;
  }
}

/// A pool, and what part of the reference kernel's instructions they may take.
struct Pool {
  SingleLayer shape;
  double most;
};

TEST(PoolsOnM0, TakeFewerInstructionsThanTheReference) {
  static const Pool pools[] = {
      {{IntegerOp::max_pool, 8, 8, 16, 16, window(2, 2)}, 0.65},
      {{IntegerOp::max_pool, 9, 9, 16, 16, window(3, 2, 1)}, 0.5},
      {{IntegerOp::average_pool, 8, 8, 16, 16, window(2, 2)}, 0.95},
      {{IntegerOp::average_pool, 9, 9, 16, 16, window(3, 2, 1)}, 0.6},
      {{IntegerOp::average_pool, 4, 4, 16, 16, window(4)}, 0.6},
  };
  const KernelCore& core = kernel_cores()[2];
  std::vector<KernelCase> cases;
  for (const Pool& pool : pools) {
    const IntegerGraph graph = single_layer_graph(pool.shape, 7);
    const LayerView view = view_of(graph);
    for (const KernelRow* row :
         {&reference_kernel(pool.shape.op), &choose_kernel(view, core_of(core))})
      cases.push_back({std::string(row->name), graph, row});
  }
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < std::size(pools); ++i) {
    const auto per_output = [&](std::size_t one) {
      const KernelOutcome& outcome = (*outcomes)[one][0];
      return static_cast<double>(outcome.instructions.count()) /
             static_cast<double>(outcome.output.size());
    };
    const double reference = per_output(2 * i), chosen = per_output(2 * i + 1);
    fmt::print("{:16} {:.1f} instructions per output, reference {:.1f}\n", cases[2 * i + 1].name,
               chosen, reference);
    EXPECT_LE(chosen, pools[i].most * reference) << cases[2 * i + 1].name;
  }
}

}  // namespace
}  // namespace assay::test
