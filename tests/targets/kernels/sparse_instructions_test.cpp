// Instructions per nominal (dense) multiply-accumulate and constant bytes of the kernels that skip
// zeros, on the benchmark shapes with zeros among their weights. Counted by QEMU: exact and the
// same on every run, so a bound is a fact and not a timing.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

/// A layer, the form its weights are packed in, and what the kernel must stay below.
struct Bound {
  std::string_view name;
  double instructions;              ///< per nominal multiply-accumulate
  double bytes_per_weight;          ///< of all constants but b' and m, which every kernel needs
  std::optional<BenchShape> other;  ///< that is not among bench_shapes()
};

constexpr Window three{3, 3, 1, 1, 1, 1, 1, 1};
constexpr IntegerOp conv = IntegerOp::convolution;
constexpr WeightFill blocks75 = WeightFill::blocks75, zeros90 = WeightFill::scattered90;

const Bound bounds[] = {
    {"conv 3x3, 50 % 1x4 blocks", 0.60, 0.64, {}},
    {"conv 3x3, 75 % 1x4 blocks", 0.36, 0.33, {}},
    {"conv 1x1, 50 % 1x4 blocks", 0.62, 0.66, {}},
    {"conv 1x1, 75 % 1x4 blocks", 0.38, 0.34, {}},
    {"conv 1x1, 90 % zeros", 0.34, 0.22, {}},
    {"conv 1x1, bitmap 90 %", 0.40, 0.226, {}},
    {"dense, 75 % 1x4 blocks", 0.90, 0.34, {}},
    {"dense, 90 % zeros", 0.90, 0.21, {}},
    // Four pixels a tile: a short row, and a tile that would be larger than 4 KB.
    {"conv 3x3 32->16 4x4", 0.4, 0.33,
     BenchShape{"", {conv, 4, 4, 32, 16, three}, blocks75, WeightForm::blocks, 0, 0, 0}},
    {"conv 1x1 512->16 4x4", 0.4, 0.33,
     BenchShape{"", {conv, 4, 4, 512, 16, {}}, blocks75, WeightForm::blocks, 0, 0, 0}},
    {"conv 3x3 32->16 4x4, 90 %", 0.4, 0.33,
     BenchShape{"", {conv, 4, 4, 32, 16, three}, zeros90, WeightForm::unstructured, 0, 0, 0}},
    {"conv 3x3 32->16 4x4, bitmap", 0.4, 0.33,
     BenchShape{"", {conv, 4, 4, 32, 16, three}, zeros90, WeightForm::bitmap, 0, 0, 0}},
    {"conv 3x3 16->16 16x16, 90 %", 0.4, 0.33,
     BenchShape{"", {conv, 16, 16, 16, 16, three}, zeros90, WeightForm::unstructured, 0, 0, 0}},
    {"conv 3x3 16->16 16x16, bitmap", 0.4, 0.33,
     BenchShape{"", {conv, 16, 16, 16, 16, three}, zeros90, WeightForm::bitmap, 0, 0, 0}},
    {"dense, bitmap", 0.90, 0.24,
     BenchShape{"", {IntegerOp::dense, 1, 1, 256, 64, {}}, zeros90, WeightForm::bitmap, 0, 0, 0}},
};

BenchShape bench_shape(const Bound& bound) {
  if (bound.other) return *bound.other;
  for (const BenchShape& shape : bench_shapes())
    if (shape.name == bound.name) return shape;
  ADD_FAILURE() << "no benchmark shape is named " << bound.name;
  return bench_shapes().front();
}

std::uint64_t constant_bytes(const KernelCase& one) {
  std::uint64_t bytes = 0;
  for (const ConstantArray& array : one.kernel->pack(view_of(one.graph)))
    bytes += array.values.size() * static_cast<std::uint64_t>(array.element_bytes);
  return bytes;
}

/// A sparse kernel and the dense one that would run in its place, on the same weights.
std::vector<KernelCase> sparse_and_dense(const Core& core) {
  std::vector<KernelCase> cases;
  for (const Bound& bound : bounds) {
    const BenchShape bench = bench_shape(bound);
    const IntegerGraph graph = single_layer_graph(bench.shape, 1, bench.fill);
    const LayerView view = view_of(graph);
    cases.push_back({std::string(bound.name), graph, find_kernel(view, core, bench.form), false});
    cases.push_back({std::string(bound.name), graph, &choose_kernel(view, core), false});
  }
  return cases;
}

class SparseInstructionsOn : public ::testing::TestWithParam<std::size_t> {};

TEST_P(SparseInstructionsOn, StayBelowTheirBoundsInFewerBytesThanDense) {
  const KernelCore& core = kernel_cores()[GetParam()];
  const std::vector<KernelCase> cases = sparse_and_dense(core_of(core));
  for (const KernelCase& one : cases)
    ASSERT_NE(one.kernel, nullptr) << one.name;
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < std::size(bounds); ++i) {
    const KernelCase& sparse = cases[2 * i];
    const IntegerLayer& layer = sparse.graph.layers[0];
    const auto macs = static_cast<double>(layer.macs.count());
    const auto instructions = [&](std::size_t one) {
      return static_cast<double>((*outcomes)[one][0].instructions.count()) / macs;
    };
    const auto requantization = 8 * layer.requantization.bias.size();
    const double bytes_per_weight = static_cast<double>(constant_bytes(sparse) - requantization) /
                                    static_cast<double>(layer.weights.size());
    fmt::print("{:10} {:26} {:22} {:.3f}, dense {:.3f}; {:.3f} bytes per weight\n", core.name,
               sparse.name, sparse.kernel->name, instructions(2 * i), instructions(2 * i + 1),
               bytes_per_weight);
    SCOPED_TRACE(sparse.name);
    EXPECT_LE(instructions(2 * i), bounds[i].instructions);
    EXPECT_LT(instructions(2 * i), instructions(2 * i + 1));
    EXPECT_LE(bytes_per_weight, bounds[i].bytes_per_weight);
    EXPECT_LT(constant_bytes(sparse), constant_bytes(cases[2 * i + 1]));
    EXPECT_EQ((*outcomes)[2 * i][0].output, (*outcomes)[2 * i + 1][0].output);
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, SparseInstructionsOn, ::testing::Values(0u, 1u),
                         [](const auto& test) {
                           std::string name = kernel_cores()[test.param].name;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace assay::test
