// Cortex-M0 kernels of compressed weights: bit for bit against the reference interpreter, and what
// they cost beside the int8 kernel of the same layer, in instructions and bytes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "targets/graph/reference_run.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

const KernelCore& m0() {
  return kernel_cores()[2];
}

std::string alphanumeric(std::string name) {
  std::erase_if(name, [](unsigned char c) { return !std::isalnum(c); });
  return name;
}

/// Weights, and the form that is tried on them.
struct Sweep {
  WeightFill fill;
  WeightForm form;
  std::string optimization;
};

class CompressedOnM0 : public ::testing::TestWithParam<Sweep> {};

TEST_P(CompressedOnM0, AgreeWithTheReferenceBitForBit) {
  const auto& [fill, form, optimization] = GetParam();
  std::vector<KernelCase> cases;
  for (const NamedGraph& one : compressed_layers(fill))
    if (const KernelRow* row = find_kernel(view_of(one.graph), core_of(m0()), form))
      cases.push_back({fmt::format("{} {}", row->name, one.name), one.graph, row});
  ASSERT_GE(cases.size(), 6u);
  const auto outcomes = run_on_device(cases, m0(), optimization);
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < cases.size(); ++i)
    for (std::size_t f = 0; f < std::size(input_fills); ++f) {
      const IntegerGraph& graph = cases[i].graph;
      const auto input = input_values(input_fills[f], graph.tensors[0].size());
      EXPECT_EQ(run_reference(graph, input), (*outcomes)[i][f].output)
          << cases[i].name << ", input fill " << f;
      EXPECT_TRUE((*outcomes)[i][f].guards_intact) << cases[i].name << ", input fill " << f;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Forms, CompressedOnM0,
    ::testing::Values(Sweep{WeightFill::int4, WeightForm::int4, "-O3"},
                      Sweep{WeightFill::ternary, WeightForm::ternary, "-Os"},
                      Sweep{WeightFill::clusters16, WeightForm::codebook16, "-O3"},
                      Sweep{WeightFill::clusters64, WeightForm::codebook256, "-Os"},
                      Sweep{WeightFill::blocks50, WeightForm::blocks, "-O3"},
                      Sweep{WeightFill::blocks75, WeightForm::blocks, "-Os"},
                      Sweep{WeightFill::blocks50_clusters16, WeightForm::blocks_codebook16, "-Os"},
                      Sweep{WeightFill::blocks75_clusters16, WeightForm::blocks_codebook16, "-O3"},
                      Sweep{WeightFill::scattered90, WeightForm::unstructured, "-O3"},
                      Sweep{WeightFill::blocks75, WeightForm::unstructured, "-Os"},
                      Sweep{WeightFill::scattered90, WeightForm::bitmap, "-O2"},
                      Sweep{WeightFill::blocks50, WeightForm::bitmap, "-Os"}),
    [](const auto& test) {
      return alphanumeric(fmt::format("{}Fill{}{}", to_string(test.param.form),
                                      static_cast<int>(test.param.fill), test.param.optimization));
    });

/// Weights on which a form must not be chosen, because they do not fit it or it saves nothing.
struct Refusal {
  WeightFill fill;
  WeightForm form;
};

TEST(CompressedOnM0Declines, WeightsThatDoNotSuitTheForm) {
  static const Refusal refusals[] = {
      {WeightFill::random, WeightForm::int4},
      {WeightFill::int4, WeightForm::ternary},
      {WeightFill::random, WeightForm::codebook16},
      {WeightFill::clusters64, WeightForm::codebook16},
      {WeightFill::random, WeightForm::codebook256},
      {WeightFill::random, WeightForm::blocks},
      {WeightFill::scattered90, WeightForm::int4},
      {WeightFill::random, WeightForm::unstructured},
      {WeightFill::blocks50, WeightForm::unstructured},
      {WeightFill::random, WeightForm::bitmap},
      {WeightFill::blocks75, WeightForm::blocks_codebook16},
      {WeightFill::clusters16, WeightForm::blocks_codebook16},  // zero would be a 17th value
  };
  for (const BenchShape& shape : bench_shapes().first(4)) {
    if (shape.shape.op == IntegerOp::depthwise) continue;
    for (const Refusal& refusal : refusals) {
      const IntegerGraph graph = single_layer_graph(shape.shape, 7, refusal.fill);
      EXPECT_FALSE(find_kernel(view_of(graph), core_of(m0()), refusal.form))
          << shape.name << ", " << to_string(refusal.form) << " of fill "
          << static_cast<int>(refusal.fill);
    }
  }
}

/// What a form may cost beside the int8 kernel of the same layer.
struct Cost {
  std::string_view shape;
  double instructions;
  double bytes;
};

std::uint64_t constant_bytes(const KernelCase& one) {
  std::uint64_t bytes = 0;
  for (const ConstantArray& array : one.kernel->pack(view_of(one.graph)))
    if (array.name != "channels" && array.name != "bias" && array.name != "multiplier")
      bytes += array.values.size() * static_cast<std::size_t>(array.element_bytes);
  return bytes;
}

/// More cases than one program has room for.
Result<std::vector<std::vector<KernelOutcome>>> run_in_parts(const std::vector<KernelCase>& cases) {
  constexpr std::ptrdiff_t part = 24;
  std::vector<std::vector<KernelOutcome>> all;
  for (auto first = cases.begin(); first != cases.end();) {
    const auto last = first + std::min(part, cases.end() - first);
    ASSAY_TRY(const auto outcomes, run_on_device({first, last}, m0(), "-O2"));
    all.insert(all.end(), outcomes.begin(), outcomes.end());
    first = last;
  }
  return all;
}

TEST(CompressedCostOnM0, StaysBelowItsShareOfInt8) {
  static const Cost costs[] = {
      {"conv 3x3, 50 % 1x4 blocks", 0.65, 0.66},
      {"conv 3x3, 75 % 1x4 blocks", 0.4, 0.35},
      {"conv 1x1, 50 % 1x4 blocks", 0.65, 0.66},
      {"conv 1x1, 75 % 1x4 blocks", 0.4, 0.35},
      {"conv 3x3, 50 % blocks, 16 clusters", 0.68, 0.39},
      {"conv 3x3, 75 % blocks, 16 clusters", 0.42, 0.20},
      {"conv 1x1, 50 % blocks, 16 clusters", 0.66, 0.39},
      {"conv 1x1, 75 % blocks, 16 clusters", 0.41, 0.20},
      {"dense, 50 % blocks, 16 clusters", 0.9, 0.38},
      {"dense, 75 % blocks, 16 clusters", 0.50, 0.19},
      {"conv 1x1, 90 % zeros", 0.4, 0.25},
      {"conv 1x1, bitmap 90 %", 0.5, 0.25},
      {"conv 1x1, int4", 1.15, 0.55},
      {"conv 1x1, ternary", 1.15, 0.27},
      {"conv 1x1, 16 clusters", 1.15, 0.55},
      {"conv 1x1, 64 clusters", 1.15, 0.8},
      {"conv 3x3, int4", 1.15, 0.55},
      {"conv 3x3, 16 clusters", 1.15, 0.55},
      {"depthwise 3x3, int4", 1.1, 0.5},
      {"depthwise 3x3, 16 clusters", 1.1, 0.53},
      {"dense, int4", 1.0, 0.51},
      {"dense, 16 clusters", 1.15, 0.55},
      {"dense, 75 % 1x4 blocks", 0.6, 0.35},
      {"dense, 90 % zeros", 0.4, 0.25},
  };
  std::vector<KernelCase> cases;
  for (const Cost& cost : costs) {
    const auto shape = std::ranges::find(bench_shapes(), cost.shape, &BenchShape::name);
    ASSERT_NE(shape, bench_shapes().end()) << cost.shape;
    const IntegerGraph graph = single_layer_graph(shape->shape, 7, shape->fill);
    for (const WeightForm form : {WeightForm::int8, shape->form}) {
      const KernelRow* row = find_kernel(view_of(graph), core_of(m0()), form);
      ASSERT_TRUE(row) << cost.shape;
      cases.push_back({std::string(cost.shape), graph, row});
      EXPECT_LE(row->scratch(view_of(graph)), Bytes(4096)) << row->name << " " << cost.shape;
    }
  }
  const auto outcomes = run_in_parts(cases);
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < std::size(costs); ++i) {
    const auto ratio = [i](auto of) {
      return static_cast<double>(of(2 * i + 1)) / static_cast<double>(of(2 * i));
    };
    const auto instructions = [&](std::size_t one) {
      return (*outcomes)[one][0].instructions.count();
    };
    const double time = ratio(instructions);
    const double bytes = ratio([&](std::size_t one) { return constant_bytes(cases[one]); });
    fmt::print("{:26} {:22} {:.3f} of int8's {:.3f} instructions, {:.3f} of its bytes\n",
               costs[i].shape, cases[2 * i + 1].kernel->name, time,
               static_cast<double>(instructions(2 * i)) /
                   static_cast<double>(cases[2 * i].graph.layers[0].macs.count()),
               bytes);
    EXPECT_LE(time, costs[i].instructions) << costs[i].shape;
    EXPECT_LE(bytes, costs[i].bytes) << costs[i].shape;
  }
}

}  // namespace
}  // namespace assay::test
