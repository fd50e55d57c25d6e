// Instructions per nominal (dense) multiply-accumulate and constant bytes of the kernels that skip
// zeros, on the benchmark shapes with zeros among their weights. Counted by QEMU: exact and the
// same on every run, so a bound is a fact and not a timing.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>

#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

/// What is counted.
struct Layer {
  SingleLayer shape;
  WeightFill fill;
  WeightForm form;
};

/// What a kernel must stay below.
struct Bound {
  std::string_view name;
  double instructions;         ///< per nominal multiply-accumulate
  double bytes_per_weight;     ///< of all constants but b' and m, which every kernel needs
  std::optional<Layer> other;  ///< nothing for the benchmark shape of that name
};

constexpr Window three{3, 3, 1, 1, 1, 1, 1, 1};
constexpr IntegerOp conv = IntegerOp::convolution;
constexpr WeightFill blocks75 = WeightFill::blocks75, zeros90 = WeightFill::scattered90;
constexpr WeightFill numbered75 = WeightFill::blocks75_clusters16;

constexpr SingleLayer row16{conv, 16, 16, 16, 16, three};
constexpr SingleLayer row4{conv, 4, 4, 32, 16, three};
constexpr SingleLayer deep{conv, 4, 4, 512, 16, {}};
constexpr SingleLayer fully_connected{IntegerOp::dense, 1, 1, 256, 64, {}};

using Form = WeightForm;
const Bound bounds[] = {
    {"conv 3x3, 50 % 1x4 blocks", 0.56, 0.64, {}},
    {"conv 3x3, 75 % 1x4 blocks", 0.32, 0.33, {}},
    {"conv 1x1, 50 % 1x4 blocks", 0.62, 0.65, {}},
    {"conv 1x1, 75 % 1x4 blocks", 0.38, 0.34, {}},
    {"conv 3x3, 50 % blocks, 16 clusters", 0.60, 0.39, {}},
    {"conv 3x3, 75 % blocks, 16 clusters", 0.34, 0.20, {}},
    {"conv 1x1, 50 % blocks, 16 clusters", 0.67, 0.38, {}},
    {"conv 1x1, 75 % blocks, 16 clusters", 0.41, 0.20, {}},
    {"dense, 50 % blocks, 16 clusters", 1.53, 0.38, {}},
    {"dense, 75 % blocks, 16 clusters", 0.85, 0.20, {}},
    {"conv 1x1, 90 % zeros", 0.33, 0.22, {}},
    {"conv 1x1, bitmap 90 %", 0.39, 0.23, {}},
    {"dense, 75 % 1x4 blocks", 0.67, 0.33, {}},
    {"dense, 90 % zeros", 0.51, 0.23, {}},
    {"dense, bitmap 90 %", 0.96, 0.23, Layer{fully_connected, zeros90, Form::bitmap}},
    {"conv 3x3, 90 % zeros", 0.28, 0.22, Layer{row16, zeros90, Form::unstructured}},
    {"conv 3x3, bitmap 90 %", 0.43, 0.23, Layer{row16, zeros90, Form::bitmap}},
    // Four pixels a tile: short rows, and a tile that would be larger than 4 KB.
    {"4x4, 75 % 1x4 blocks", 0.36, 0.33, Layer{row4, blocks75, Form::blocks}},
    {"4x4, 75 % blocks, 16 clusters", 0.43, 0.20, Layer{row4, numbered75, Form::blocks_codebook16}},
    {"4x4, 90 % zeros", 0.33, 0.22, Layer{row4, zeros90, Form::unstructured}},
    {"4x4, bitmap 90 %", 0.47, 0.23, Layer{row4, zeros90, Form::bitmap}},
    {"512 channels, 75 % 1x4 blocks", 0.42, 0.33, Layer{deep, blocks75, Form::blocks}},
};

Layer layer_of(const Bound& bound) {
  if (bound.other) return *bound.other;
  for (const BenchShape& bench : bench_shapes())
    if (bench.name == bound.name) return {bench.shape, bench.fill, bench.form};
  ADD_FAILURE() << "no benchmark shape is named " << bound.name;
  return {};
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
    const Layer layer = layer_of(bound);
    const IntegerGraph graph = single_layer_graph(layer.shape, 1, layer.fill);
    const LayerView view = view_of(graph);
    cases.push_back({std::string(bound.name), graph, find_kernel(view, core, layer.form), false});
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
    // A dense layer meets each weight once: its zeros save bytes first of all.
    if (layer.op == conv) {
      EXPECT_LT(instructions(2 * i), instructions(2 * i + 1));
    }
    EXPECT_LE(sparse.kernel->scratch(view_of(sparse.graph)), Bytes{4100});
    EXPECT_LE(bytes_per_weight, bounds[i].bytes_per_weight);
    EXPECT_LT(constant_bytes(sparse), constant_bytes(cases[2 * i + 1]));
    EXPECT_EQ((*outcomes)[2 * i][0].output, (*outcomes)[2 * i + 1][0].output);
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, SparseInstructionsOn, ::testing::Values(0u, 1u, 3u),
                         [](const auto& test) {
                           std::string name = kernel_cores()[test.param].name;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace assay::test
