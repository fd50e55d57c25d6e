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
  double BenchShape::*published;
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
    EXPECT_LT(count.chosen, dense_shapes()[i].*bound.published);
    EXPECT_LT(3 * count.chosen, count.reference);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cores, InstructionsOn,
    ::testing::Values(Bound{0, &BenchShape::cmsis_nn_m4, {1.04, 0.97, 2.96, 1.08}},
                      Bound{1, &BenchShape::cmsis_nn_m7, {1.04, 0.97, 2.96, 1.08}},
                      Bound{2, &BenchShape::cmsis_nn_m0, {2.87, 2.77, 9.3, 3.6}}),
    [](const auto& test) {
      std::string name = kernel_cores()[test.param.core].name;
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace assay::test
