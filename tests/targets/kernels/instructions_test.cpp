// Instructions per nominal multiply-accumulate of the chosen kernels on the benchmark shapes,
// counted by QEMU: exact and the same on every run, so a bound is a fact and not a timing.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

/// Counted on `core`: the row that choose_kernel takes, and the reference row.
struct Count {
  std::string shape;
  std::string kernel;
  double chosen;
  double reference;
};

/// The four shapes with int8 weights.
std::span<const BenchShape> dense_shapes() {
  return bench_shapes().first(4);
}

Result<std::vector<Count>> count_on(const KernelCore& core) {
  std::vector<KernelCase> cases;
  for (const BenchShape& bench : dense_shapes()) {
    const IntegerGraph graph = single_layer_graph(bench.shape, 7);
    const LayerView view = view_of(graph);
    cases.push_back({std::string(bench.name), graph, &choose_kernel(view, core_of(core))});
    cases.push_back({std::string(bench.name), graph, &reference_kernel(view.layer.op)});
  }
  ASSAY_TRY(const auto outcomes, run_on_device(cases, core, "-O2"));
  std::vector<Count> counts;
  for (std::size_t i = 0; i < cases.size(); i += 2) {
    const auto per_mac = [&](std::size_t one) {
      return static_cast<double>(outcomes[one][0].instructions.count()) /
             static_cast<double>(cases[one].graph.layers[0].macs.count());
    };
    counts.push_back(
        {cases[i].name, std::string(cases[i].kernel->name), per_mac(i), per_mac(i + 1)});
    fmt::print("{:10} {:24} {:16} {:.3f} reference {:.3f}\n", core.name, counts.back().shape,
               counts.back().kernel, counts.back().chosen, counts.back().reference);
  }
  return counts;
}

/// What the kernels must stay below, in the order of dense_shapes().
struct Bound {
  std::size_t core;  ///< index into kernel_cores()
  std::optional<double> BenchShape::*published;
  std::array<double, 4> most;
};

class InstructionsOn : public ::testing::TestWithParam<Bound> {};

TEST_P(InstructionsOn, StayBelowTheirBoundsCmsisNnAndAThirdOfTheReference) {
  const Bound& bound = GetParam();
  const auto counts = count_on(kernel_cores()[bound.core]);
  ASSERT_TRUE(counts) << counts.error().message;
  ASSERT_EQ(counts->size(), bound.most.size());
  for (std::size_t i = 0; i < counts->size(); ++i) {
    const Count& count = (*counts)[i];
    SCOPED_TRACE(count.shape + " by " + count.kernel);
    EXPECT_LE(count.chosen, bound.most[i]);
    EXPECT_LT(count.chosen, (dense_shapes()[i].*bound.published).value());
    EXPECT_LT(3 * count.chosen, count.reference);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cores, InstructionsOn,
    ::testing::Values(Bound{0, &BenchShape::cmsis_nn_m4, {0.83, 0.87, 1.68, 0.97}},
                      Bound{1, &BenchShape::cmsis_nn_m7, {0.83, 0.87, 1.68, 0.97}},
                      Bound{2, &BenchShape::cmsis_nn_m0, {2.4, 2.28, 4.7, 3.32}},
                      Bound{3, &BenchShape::cmsis_nn_m4, {0.83, 0.87, 1.68, 0.97}}),
    [](const auto& test) {
      std::string name = kernel_cores()[test.param.core].name;
      std::erase(name, '-');
      return name;
    });

/// Runs the cases and holds each below its instructions per multiply-accumulate.
void expect_at_most(const std::vector<KernelCase>& cases, const std::vector<double>& most,
                    const KernelCore& core) {
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const double per_mac = static_cast<double>((*outcomes)[i][0].instructions.count()) /
                           static_cast<double>(cases[i].graph.layers[0].macs.count());
    fmt::print("{:24} {:16} {:.3f}\n", cases[i].name, cases[i].kernel->name, per_mac);
    EXPECT_LE(per_mac, most[i]) << i;
  }
}

TEST(Instructions, OfKernelsWithLargeScratchAreFewerStill) {
  constexpr double most = 0.57;
  const KernelCore& core = kernel_cores()[0];
  std::vector<KernelCase> cases;
  for (const BenchShape& bench : bench_shapes()) {
    const IntegerGraph graph = single_layer_graph(bench.shape, 7);
    const KernelRow* row = find_kernel_named(view_of(graph), core_of(core), bench.kernel);
    if (row && row->large_scratch) {
      EXPECT_LE(row->scratch(view_of(graph)), Bytes(20 << 10));
      cases.push_back({std::string(bench.name), graph, row});
    }
  }
  ASSERT_EQ(cases.size(), 1);
  expect_at_most(cases, {most}, core);
}

TEST(Instructions, OfLargeTilesAreFewerWithoutDsp) {
  constexpr Window three{3, 3, 1, 1, 1, 1, 1, 1};
  const struct {
    SingleLayer shape;
    double most;
  } shapes[] = {{{IntegerOp::convolution, 16, 16, 16, 16, three}, 2.24},
                {{IntegerOp::convolution, 16, 16, 32, 32, three}, 2.11},
                {{IntegerOp::convolution, 8, 8, 64, 64, three}, 2.17}};
  const KernelCore& core = roomy_m0();
  std::vector<KernelCase> cases;
  std::vector<double> most;
  for (const auto& one : shapes) {
    const IntegerGraph graph = single_layer_graph(one.shape, 7);
    const KernelRow* row = find_kernel_named(view_of(graph), core_of(core), "conv_large.m0");
    ASSERT_TRUE(row && row->large_scratch);
    EXPECT_LE(row->scratch(view_of(graph)), Bytes(20 << 10));
    cases.push_back({std::string(row->name), graph, row});
    most.push_back(one.most);
  }
  expect_at_most(cases, most, core);
}

/// Windows too long for scratch memory at once, of 4 KB and less.
TEST(Instructions, OfWindowsInPartsAreHardlyMoreWithoutDsp) {
  constexpr Window three{3, 3, 1, 1, 1, 1, 1, 1};
  const struct {
    SingleLayer shape;
    double most;
  } shapes[] = {{{IntegerOp::convolution, 8, 8, 64, 64, three}, 2.41},
                {{IntegerOp::convolution, 4, 4, 512, 64, {}}, 2.4},
                {{IntegerOp::convolution, 2, 2, 128, 160, three}, 2.45}};
  const KernelCore& core = kernel_cores()[2];
  std::vector<KernelCase> cases;
  std::vector<double> most;
  for (const auto& one : shapes) {
    const IntegerGraph graph = single_layer_graph(one.shape, 7);
    const KernelRow& row = choose_kernel(view_of(graph), core_of(core));
    EXPECT_EQ(row.name, "conv_parts.m0");
    cases.push_back({std::string(row.name), graph, &row});
    most.push_back(one.most);
  }
  expect_at_most(cases, most, core);
}

/// Operators without weights, in instructions for every input element of a window.
TEST(Instructions, OfPoolsAndAdditionsAreFewOnCoresWithDsp) {
  constexpr Window two{2, 2, 2, 2, 0, 0, 0, 0};
  const struct {
    SingleLayer shape;
    double most;
  } shapes[] = {{{IntegerOp::max_pool, 16, 16, 16, 16, two}, 1.17},
                {{IntegerOp::average_pool, 16, 16, 16, 16, two}, 2.47},
                {{IntegerOp::average_pool, 8, 8, 64, 64, {8, 8, 1, 1, 0, 0, 0, 0}}, 1.6},
                {{IntegerOp::add, 16, 16, 16, 16, {}}, 6.1}};
  const KernelCore& core = kernel_cores()[0];
  std::vector<KernelCase> cases;
  for (const auto& one : shapes) {
    const IntegerGraph graph = single_layer_graph(one.shape, 7);
    const KernelRow& row = choose_kernel(view_of(graph), core_of(core));
    cases.push_back({std::string(row.name), graph, &row});
  }
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const double per_input = static_cast<double>((*outcomes)[i][0].instructions.count()) /
                             static_cast<double>(cases[i].graph.tensors[0].size());
    fmt::print("{:24} {:.3f}\n", cases[i].name, per_input);
    EXPECT_LE(per_input, shapes[i].most) << cases[i].name;
  }
}

/// A pool, and what part of the reference kernel's instructions they may take.
struct Pool {
  SingleLayer shape;
  double most;
};

TEST(Instructions, OfPoolsAreFewerThanTheReferenceTakesWithoutDsp) {
  static const Pool pools[] = {
      {{IntegerOp::max_pool, 8, 8, 16, 16, {2, 2, 2, 2, 0, 0, 0, 0}}, 0.65},
      {{IntegerOp::max_pool, 9, 9, 16, 16, {3, 3, 2, 2, 1, 1, 1, 1}}, 0.5},
      {{IntegerOp::average_pool, 8, 8, 16, 16, {2, 2, 2, 2, 0, 0, 0, 0}}, 0.95},
      {{IntegerOp::average_pool, 9, 9, 16, 16, {3, 3, 2, 2, 1, 1, 1, 1}}, 0.6},
      {{IntegerOp::average_pool, 4, 4, 16, 16, {4, 4, 1, 1, 0, 0, 0, 0}}, 0.6},
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
