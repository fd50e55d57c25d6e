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
    ::testing::Values(Bound{0, &BenchShape::cmsis_nn_m4, {0.83, 0.87, 1.68, 0.97}},
                      Bound{1, &BenchShape::cmsis_nn_m7, {0.83, 0.87, 1.68, 0.97}},
                      Bound{2, &BenchShape::cmsis_nn_m0, {2.43, 2.33, 5.01, 3.43}},
                      Bound{3, &BenchShape::cmsis_nn_m4, {0.83, 0.87, 1.68, 0.97}}),
    [](const auto& test) {
      std::string name = kernel_cores()[test.param.core].name;
      std::erase(name, '-');
      return name;
    });

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
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  const double per_mac = static_cast<double>((*outcomes)[0][0].instructions.count()) /
                         static_cast<double>(cases[0].graph.layers[0].macs.count());
  fmt::print("{:24} {:16} {:.3f}\n", cases[0].name, cases[0].kernel->name, per_mac);
  EXPECT_LE(per_mac, most);
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

/// A shape that kernels find hard, and the nearest one that they find easy.
struct Neighbours {
  const char* name;
  SingleLayer awkward;
  SingleLayer round;
};

/// Times the instructions per multiply-accumulate.
constexpr double most_of_awkward = 1.6;

constexpr Window pointwise{};
constexpr Window three{3, 3, 1, 1, 1, 1, 1, 1};
constexpr Window three_by_two{3, 3, 2, 2, 1, 1, 1, 1};
constexpr Window five{5, 5, 1, 1, 2, 2, 2, 2};

const Neighbours neighbours[] = {
    {"conv 3x3 15->13 15x17",
     {IntegerOp::convolution, 15, 17, 15, 13, three},
     {IntegerOp::convolution, 16, 16, 16, 16, three}},
    {"conv 3x3 stride 2 16->16 16x16",
     {IntegerOp::convolution, 16, 16, 16, 16, three_by_two},
     {IntegerOp::convolution, 16, 16, 16, 16, three}},
    {"conv 3x3 16->16 5x5",
     {IntegerOp::convolution, 5, 5, 16, 16, three},
     {IntegerOp::convolution, 8, 8, 16, 16, three}},
    {"conv 3x3 5->6 9x9",
     {IntegerOp::convolution, 9, 9, 5, 6, three},
     {IntegerOp::convolution, 8, 8, 4, 8, three}},
    {"conv 5x5 6->16 10x10",
     {IntegerOp::convolution, 10, 10, 6, 16, five},
     {IntegerOp::convolution, 8, 8, 8, 16, five}},
    {"conv 1x1 63->61 7x9",
     {IntegerOp::convolution, 7, 9, 63, 61, pointwise},
     {IntegerOp::convolution, 8, 8, 64, 64, pointwise}},
    {"conv 1x1 stride 2 64->64 15x15",
     {IntegerOp::convolution, 15, 15, 64, 64, {1, 1, 2, 2, 0, 0, 0, 0}},
     {IntegerOp::convolution, 8, 8, 64, 64, pointwise}},
    {"conv 3x3 1->16 28x28",
     {IntegerOp::convolution, 28, 28, 1, 16, three},
     {IntegerOp::convolution, 28, 28, 4, 16, three}},
    {"conv 3x3 3->16 28x28",
     {IntegerOp::convolution, 28, 28, 3, 16, three},
     {IntegerOp::convolution, 28, 28, 4, 16, three}},
    {"conv 3x3 stride 2 1->16 28x28",
     {IntegerOp::convolution, 28, 28, 1, 16, three_by_two},
     {IntegerOp::convolution, 28, 28, 4, 16, three_by_two}},
    {"conv 5x5 1->16 28x28",
     {IntegerOp::convolution, 28, 28, 1, 16, five},
     {IntegerOp::convolution, 28, 28, 4, 16, five}},
    {"conv 3x3 stride 2 3->16 32x32",
     {IntegerOp::convolution, 32, 32, 3, 16, three_by_two},
     {IntegerOp::convolution, 32, 32, 4, 16, three_by_two}},
    {"depthwise 3x3 61 9x7",
     {IntegerOp::depthwise, 9, 7, 61, 61, three},
     {IntegerOp::depthwise, 8, 8, 64, 64, three}},
    {"depthwise 3x3 stride 2 64 16x16",
     {IntegerOp::depthwise, 16, 16, 64, 64, three_by_two},
     {IntegerOp::depthwise, 8, 8, 64, 64, three}},
    {"depthwise 3x3 stride 2 61 9x7",
     {IntegerOp::depthwise, 9, 7, 61, 61, three_by_two},
     {IntegerOp::depthwise, 8, 8, 64, 64, three}},
    {"dense 255->63",
     {IntegerOp::dense, 1, 1, 255, 63, pointwise},
     {IntegerOp::dense, 1, 1, 256, 64, pointwise}},
    {"dense 1001->10",
     {IntegerOp::dense, 1, 1, 1001, 10, pointwise},
     {IntegerOp::dense, 1, 1, 1000, 16, pointwise}},
};

TEST(Instructions, OfAwkwardShapesAreFewOnCoresWithDsp) {
  const KernelCore& core = kernel_cores()[0];
  std::vector<KernelCase> cases;
  for (const Neighbours& one : neighbours)
    for (const SingleLayer& shape : {one.awkward, one.round}) {
      const IntegerGraph graph = single_layer_graph(shape, 7);
      cases.push_back({one.name, graph, &choose_kernel(view_of(graph), core_of(core))});
    }
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < cases.size(); i += 2) {
    const auto per_mac = [&](std::size_t one) {
      return static_cast<double>((*outcomes)[one][0].instructions.count()) /
             static_cast<double>(cases[one].graph.layers[0].macs.count());
    };
    fmt::print("{:32} {:.3f} round {:.3f} {:.2f} times\n", cases[i].name, per_mac(i),
               per_mac(i + 1), per_mac(i) / per_mac(i + 1));
    EXPECT_LE(per_mac(i), most_of_awkward * per_mac(i + 1)) << cases[i].name;
  }
}

}  // namespace
}  // namespace assay::test
