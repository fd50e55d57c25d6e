// What awkward shapes cost per multiply-accumulate beside the nearest round one, counted by QEMU.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

/// Times the instructions per multiply-accumulate.
constexpr double most = 1.6;

/// A shape that kernels find hard, and the nearest one that they find easy.
struct Neighbours {
  const char* name;
  SingleLayer awkward;
  SingleLayer round;
};

constexpr Window pointwise{};
constexpr Window pointwise_by_two{1, 1, 2, 2, 0, 0, 0, 0};
constexpr Window three{3, 3, 1, 1, 1, 1, 1, 1};
constexpr Window three_by_two{3, 3, 2, 2, 1, 1, 1, 1};
constexpr Window five{5, 5, 1, 1, 2, 2, 2, 2};
constexpr Window seven{7, 7, 1, 1, 3, 3, 3, 3};

const std::vector<Neighbours> with_dsp = {
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
     {IntegerOp::convolution, 15, 15, 64, 64, pointwise_by_two},
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
    {"depthwise 7x7 4 9x120",
     {IntegerOp::depthwise, 9, 120, 4, 4, seven},
     {IntegerOp::depthwise, 9, 60, 4, 4, seven}},
    {"dense 255->63",
     {IntegerOp::dense, 1, 1, 255, 63, pointwise},
     {IntegerOp::dense, 1, 1, 256, 64, pointwise}},
    {"dense 1001->10",
     {IntegerOp::dense, 1, 1, 1001, 10, pointwise},
     {IntegerOp::dense, 1, 1, 1000, 16, pointwise}},
};

const std::vector<Neighbours> without_dsp = {
    {"conv 3x3 16->16 11x13",
     {IntegerOp::convolution, 11, 13, 16, 16, three},
     {IntegerOp::convolution, 12, 12, 16, 16, three}},
    {"conv 3x3 15->13 12x12",
     {IntegerOp::convolution, 12, 12, 15, 13, three},
     {IntegerOp::convolution, 12, 12, 16, 16, three}},
    {"conv 3x3 stride 2 16->16 24x24",
     {IntegerOp::convolution, 24, 24, 16, 16, three_by_two},
     {IntegerOp::convolution, 12, 12, 16, 16, three}},
    {"conv 3x3 stride 2 15->13 21x23",
     {IntegerOp::convolution, 21, 23, 15, 13, three_by_two},
     {IntegerOp::convolution, 12, 12, 16, 16, three}},
    {"conv 3x3 1->16 14x14",
     {IntegerOp::convolution, 14, 14, 1, 16, three},
     {IntegerOp::convolution, 14, 14, 4, 16, three}},
    {"conv 3x3 3->16 14x14",
     {IntegerOp::convolution, 14, 14, 3, 16, three},
     {IntegerOp::convolution, 14, 14, 4, 16, three}},
    {"conv 3x3 stride 2 3->16 20x20",
     {IntegerOp::convolution, 20, 20, 3, 16, three_by_two},
     {IntegerOp::convolution, 20, 20, 4, 16, three_by_two}},
    {"conv 5x5 1->8 14x14",
     {IntegerOp::convolution, 14, 14, 1, 8, five},
     {IntegerOp::convolution, 14, 14, 4, 8, five}},
    {"conv 1x1 31->33 7x9",
     {IntegerOp::convolution, 7, 9, 31, 33, pointwise},
     {IntegerOp::convolution, 8, 8, 32, 32, pointwise}},
    {"conv 1x1 stride 2 32->32 15x15",
     {IntegerOp::convolution, 15, 15, 32, 32, pointwise_by_two},
     {IntegerOp::convolution, 8, 8, 32, 32, pointwise}},
    {"depthwise 3x3 31 9x7",
     {IntegerOp::depthwise, 9, 7, 31, 31, three},
     {IntegerOp::depthwise, 8, 8, 32, 32, three}},
    {"depthwise 3x3 stride 2 32 16x16",
     {IntegerOp::depthwise, 16, 16, 32, 32, three_by_two},
     {IntegerOp::depthwise, 8, 8, 32, 32, three}},
    {"depthwise 3x3 8 6x40",
     {IntegerOp::depthwise, 6, 40, 8, 8, three},
     {IntegerOp::depthwise, 8, 8, 32, 32, three}},
    {"depthwise 7x7 4 9x120",
     {IntegerOp::depthwise, 9, 120, 4, 4, seven},
     {IntegerOp::depthwise, 9, 60, 4, 4, seven}},
    {"dense 127->31",
     {IntegerOp::dense, 1, 1, 127, 31, pointwise},
     {IntegerOp::dense, 1, 1, 128, 32, pointwise}},
    {"dense 128->10",
     {IntegerOp::dense, 1, 1, 128, 10, pointwise},
     {IntegerOp::dense, 1, 1, 128, 32, pointwise}},
};

/// A core, as an index into kernel_cores(), and what is hard for it.
struct Awkward {
  std::size_t core;
  const std::vector<Neighbours>* shapes;
};

class AwkwardShapesOn : public ::testing::TestWithParam<Awkward> {};

TEST_P(AwkwardShapesOn, CostAtMostSixTenthsMoreThanRoundOnes) {
  const KernelCore& core = kernel_cores()[GetParam().core];
  std::vector<KernelCase> cases;
  for (const Neighbours& one : *GetParam().shapes)
    for (const SingleLayer& shape : {one.awkward, one.round}) {
      const IntegerGraph graph = single_layer_graph(shape, 7);
      cases.push_back({one.name, graph, &choose_kernel(view_of(graph), core_of(core))});
    }
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  const auto per_mac = [&](std::size_t i) {
    return static_cast<double>((*outcomes)[i][0].instructions.count()) /
           static_cast<double>(cases[i].graph.layers[0].macs.count());
  };
  for (std::size_t i = 0; i < cases.size(); i += 2) {
    fmt::print("{:32} {:.3f} round {:.3f} {:.2f} times\n", cases[i].name, per_mac(i),
               per_mac(i + 1), per_mac(i) / per_mac(i + 1));
    EXPECT_LE(per_mac(i), most * per_mac(i + 1)) << cases[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, AwkwardShapesOn,
                         ::testing::Values(Awkward{0, &with_dsp}, Awkward{2, &without_dsp}),
                         [](const auto& test) {
                           std::string name = kernel_cores()[test.param.core].name;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace assay::test
