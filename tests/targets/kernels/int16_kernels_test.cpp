// Every row of the kernel table over int16 tensors against the interpreter, bit for bit, on
// emulated cores.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

/// Every row on every shape that `ram` has room for, in place too where the row allows it.
std::vector<KernelCase> cases_for(const Core& core, Bytes ram) {
  std::vector<KernelCase> cases;
  for (const NamedGraph& one : wide_awkward_layers()) {
    const LayerView view = view_of(one.graph);
    for (const KernelRow& row : kernel_table()) {
      if (!row.runs_on(core) || !takes(row, view)) continue;
      KernelCase plain{fmt::format("{} {}", row.name, one.name), one.graph, &row};
      if (Bytes(memory_needed(plain)) > ram) continue;
      cases.push_back(plain);
      if (!row.in_place(view)) continue;
      plain.name += " in place";
      plain.in_place = true;
      cases.push_back(std::move(plain));
    }
  }
  return cases;
}

void expect_agreement(const std::vector<KernelCase>& cases,
                      const Result<std::vector<std::vector<KernelOutcome>>>& outcomes) {
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  EXPECT_GT(cases.size(), 100u);
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(disagreement(cases[i], (*outcomes)[i]), "");
}

class WideKernelsOn : public ::testing::TestWithParam<KernelCore> {};

TEST_P(WideKernelsOn, AgreeWithTheInterpreterBitForBit) {
  const auto cases = cases_for(core_of(GetParam()), Bytes(GetParam().ram.count() * 3 / 4));
  expect_agreement(cases, run_on_device(cases, GetParam(), "-O2"));
}

class WideKernelsUnderLinuxOn : public ::testing::TestWithParam<const char*> {};

TEST_P(WideKernelsUnderLinuxOn, AgreeWithTheInterpreterBitForBit) {
  const Core core = load_core(GetParam()).value();
  const auto cases = cases_for(core, Bytes(1 << 30));
  expect_agreement(cases, run_under_linux(cases, core, "-O2"));
}

/// A kernel, a layer, and between which instructions per multiply-accumulate it must stay: no fewer
/// than compute anything, no more than a little above what was counted.
struct Bounds {
  const char* kernel;
  SingleLayer shape;
  double least;
  double bound;
};

void expect_bounds(const std::vector<Bounds>& rows, const KernelCore& core) {
  std::vector<KernelCase> cases;
  for (const Bounds& row : rows)
    cases.push_back(
        {row.kernel, single_layer_graph(row.shape, 1), kernel_named(row.kernel), false});
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const double instructions = double((*outcomes)[i][0].instructions.count());
    const double per_mac = instructions / double(cases[i].graph.layers[0].macs.count());
    fmt::print("{} {} of {} channels: {:.2f} instructions per MAC\n", core.name, rows[i].kernel,
               rows[i].shape.channels, per_mac);
    EXPECT_LE(per_mac, rows[i].bound) << rows[i].kernel;
    EXPECT_GT(per_mac, rows[i].least) << rows[i].kernel;
  }
}

constexpr Window three{3, 3, 1, 1, 1, 1, 1, 1};

/// SMLAD makes two multiply-accumulates, SMLABB one.
TEST(WideInstructions, WithSmladStayWithinTheirBounds) {
  const SingleLayer conv3{IntegerOp::convolution, 16, 16, 16, 16, three, Element::int16};
  const SingleLayer conv1{IntegerOp::convolution, 8, 8, 64, 64, {}, Element::int16};
  const SingleLayer deep{IntegerOp::convolution, 4, 4, 128, 32, three, Element::int16};
  const SingleLayer depthwise{IntegerOp::depthwise, 8, 8, 64, 64, three, Element::int16};
  const SingleLayer dense{IntegerOp::dense, 1, 1, 256, 64, {}, Element::int16};
  const SingleLayer long_dense{IntegerOp::dense, 1, 1, 1024, 16, {}, Element::int16};
  expect_bounds({{"conv.int16.smlad", conv3, 0.5, 1.15},
                 {"conv.int16.smlad", conv1, 0.5, 1.1},
                 {"conv.int16.smlad", deep, 0.5, 1.1},
                 {"depthwise.int16.smlad", depthwise, 1, 3.8},
                 {"depthwise_plane.int16.smlad", depthwise, 0.7, 2.5},
                 {"dense.int16.smlad", dense, 0.5, 1.3},
                 {"dense.int16.smlad", long_dense, 0.5, 1.3}},
                kernel_cores()[0]);
}

/// Two loads, MULS and ADDS for each where nothing is shared.
TEST(WideInstructions, OnACortexM0StayWithinTheirBounds) {
  const SingleLayer conv3{IntegerOp::convolution, 8, 8, 16, 16, three, Element::int16};
  const SingleLayer depthwise{IntegerOp::depthwise, 8, 8, 16, 16, three, Element::int16};
  const SingleLayer dense{IntegerOp::dense, 1, 1, 256, 64, {}, Element::int16};
  expect_bounds({{"conv.int16.m0", conv3, 2.5, 4.75},
                 {"dense.int16.m0", dense, 2.5, 3.9},
                 {"conv.int16.plain", conv3, 3, 8.2},
                 {"depthwise.int16.plain", depthwise, 4, 16.5},
                 {"dense.int16.plain", dense, 3, 7.5}},
                kernel_cores()[2]);
}

/// An operator without weights, how many instructions for an input element its kernel may take, and
/// what part of the reference kernel's.
struct SumBound {
  SingleLayer shape;
  double most;
  double of_reference;
};

void expect_bounds(const std::vector<SumBound>& rows, const KernelCore& core) {
  std::vector<KernelCase> cases;
  for (const SumBound& row : rows) {
    const IntegerGraph graph = single_layer_graph(row.shape, 7);
    const LayerView view = view_of(graph);
    for (const KernelRow* kernel : {&choose_kernel(view, core_of(core)), &reference_kernel(view)})
      cases.push_back({std::string(kernel->name), graph, kernel});
  }
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto per_input = [&](std::size_t one) {
      return double((*outcomes)[one][0].instructions.count()) /
             double(cases[one].graph.tensors[0].size());
    };
    const double chosen = per_input(2 * i), reference = per_input(2 * i + 1);
    fmt::print("{} {}: {:.2f} instructions per input, reference {:.2f}\n", core.name,
               cases[2 * i].name, chosen, reference);
    EXPECT_LE(chosen, rows[i].most) << cases[2 * i].name;
    EXPECT_LE(chosen, rows[i].of_reference * reference) << cases[2 * i].name;
  }
}

std::vector<SumBound> sum_bounds(const std::array<std::pair<double, double>, 6>& most) {
  using enum IntegerOp;
  constexpr Window two{2, 2, 2, 2, 0, 0, 0, 0}, eight{8, 8, 1, 1, 0, 0, 0, 0};
  constexpr Element wide = Element::int16;
  const SingleLayer shapes[] = {
      {max_pool, 8, 8, 16, 16, two, wide},       {average_pool, 8, 8, 16, 16, two, wide},
      {average_pool, 8, 8, 16, 16, eight, wide}, {add, 8, 8, 16, 16, {}, wide},
      {multiply, 8, 8, 16, 16, {}, wide},        {concat, 8, 8, 16, 16, {}, wide}};
  std::vector<SumBound> bounds;
  for (std::size_t i = 0; i < most.size(); ++i)
    bounds.push_back({shapes[i], most[i].first, most[i].second});
  return bounds;
}

TEST(WideInstructions, OfSumsAndProductsWithSmladStayWithinTheirBounds) {
  expect_bounds(
      sum_bounds({{{3.1, .41}, {4.5, .39}, {2.55, .52}, {7.4, .31}, {5.4, .29}, {12, .39}}}),
      kernel_cores()[0]);
}

TEST(WideInstructions, OfSumsAndProductsOnACortexM0StayWithinTheirBounds) {
  expect_bounds(sum_bounds({{{5.1, .3}, {10.7, .42}, {6.5, .71}, {27, .21}, {45, .64}, {40, .31}}}),
                kernel_cores()[2]);
}

std::string letters(std::string name) {
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cores, WideKernelsOn, ::testing::ValuesIn(tried_cores()),
                         [](const auto& test) { return letters(test.param.name); });
INSTANTIATE_TEST_SUITE_P(Cores, WideKernelsUnderLinuxOn, ::testing::Values("cortex-a57", "arm1176"),
                         [](const auto& test) { return letters(test.param); });

}  // namespace
}  // namespace assay::test
