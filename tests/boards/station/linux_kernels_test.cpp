// What the kernels of cores that run Linux cost, counted under QEMU's user mode, beside dense int8
// of the same layer and the reference kernel.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "harness/core/file.hpp"
#include "targets/pack/bench_shapes.hpp"
#include "tests/boards/station/desk_rig.hpp"

namespace assay::test {
namespace {

/// A row of bench_shapes(), and the most instructions a multiply-accumulate that its kernel may
/// take.
struct Bound {
  const char* part;
  const char* shape;
  const char* kernel;
  double most;
  bool first = true;  ///< whether it is the first of its form
};

class LinuxKernelTest : public ::testing::Test {
 protected:
  double instructions_per_mac(const char* part, const IntegerGraph& graph, const KernelRow& row) {
    KernelChoice choice;
    choice.layers = {&row};
    const Board board = virtual_board("b", part);
    const auto image = build_for(graph, board.type, scratch_.path() / "firmware", choice);
    Desk desk = *Desk::open({board}, scratch_.path() / "locks");
    const auto found = desk.measure(board, request_for(graph, image, 3), {});
    EXPECT_TRUE(found) << found.error().message;
    if (!found) return 0;
    EXPECT_EQ(found->identical_samples, 3u);
    return static_cast<double>(found->instructions->front().count()) /
           static_cast<double>(graph.layers[0].macs.count());
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "linux-kernels");
};

class LinuxKernels : public LinuxKernelTest, public ::testing::WithParamInterface<Bound> {};

TEST_P(LinuxKernels, StayBelowTheirBoundAndTheReference) {
  const auto shape = std::ranges::find(bench_shapes(), GetParam().shape, &BenchShape::name);
  ASSERT_NE(shape, bench_shapes().end());
  const IntegerGraph graph = single_layer_graph(shape->shape, 7, shape->fill);
  const LayerView view(graph, graph.layers[0]);
  const Core core = find_board_type(GetParam().part)->part.core;
  const KernelRow* row = kernel_named(GetParam().kernel);
  ASSERT_TRUE(row);
  EXPECT_EQ(find_kernel(view, core, shape->form) == row, GetParam().first);
  const char* const part = GetParam().part;
  const double cost = instructions_per_mac(part, graph, *row);
  const double reference = instructions_per_mac(part, graph, reference_kernel(view));
  fmt::print("{} {}: {:.3f}, reference {:.3f}\n", GetParam().shape, row->name, cost, reference);
  EXPECT_LE(cost, GetParam().most);
  EXPECT_LT(cost, reference);
}

/// A depthwise window of so many taps a side over 64 channels, and the most instructions of it.
struct LargeWindow {
  int side;
  Element element;
  double most;
};

class LargeWindows : public LinuxKernelTest, public ::testing::WithParamInterface<LargeWindow> {};

// Loops over many taps are written out no more in full.
TEST_P(LargeWindows, TakeHardlyMoreThanSmallOnes) {
  const auto [side, element, most] = GetParam();
  const SingleLayer shape{.op = IntegerOp::depthwise,
                          .height = 14,
                          .width = 14,
                          .channels = 64,
                          .out_channels = 64,
                          .window = {.kernel_height = side,
                                     .kernel_width = side,
                                     .pad_top = side / 2,
                                     .pad_left = side / 2,
                                     .pad_bottom = side / 2,
                                     .pad_right = side / 2},
                          .element = element};
  const IntegerGraph graph = single_layer_graph(shape, 7);
  const Core core = find_board_type("raspberry-pi-4")->part.core;
  const double cost = instructions_per_mac("raspberry-pi-4", graph,
                                           choose_kernel(LayerView(graph, graph.layers[0]), core));
  fmt::print("{}x{}: {:.3f}\n", side, side, cost);
  EXPECT_LE(cost, most);
}

INSTANTIATE_TEST_SUITE_P(
    Depthwise, LargeWindows,
    ::testing::Values(LargeWindow{5, Element::int8, 0.66}, LargeWindow{7, Element::int8, 0.66},
                      LargeWindow{9, Element::int8, 0.66}, LargeWindow{5, Element::int16, 0.9},
                      LargeWindow{7, Element::int16, 0.75}, LargeWindow{9, Element::int16, 0.75}));

INSTANTIATE_TEST_SUITE_P(
    Rows, LinuxKernels,
    ::testing::Values(
        Bound{"raspberry-pi-4", "conv 1x1 64->64 8x8", "conv.neon", 0.34},
        Bound{"raspberry-pi-4", "conv 1x1, int4", "conv_int4.neon", 0.38},
        Bound{"raspberry-pi-4", "conv 1x1, 64 clusters", "conv_codebook256.neon", 0.42},
        Bound{"raspberry-pi-4", "conv 3x3, 75 % 1x4 blocks", "conv_blocks.neon", 0.30},
        Bound{"raspberry-pi-4", "conv 1x1, 90 % zeros", "conv_unstructured.neon", 0.18},
        Bound{"raspberry-pi-4", "conv 3x3, 75 % blocks, 16 clusters", "conv_blocks_codebook16.neon",
              0.30},
        Bound{"raspberry-pi-4", "dense, int4", "dense_int4.neon", 0.50},
        Bound{"raspberry-pi-4", "conv 3x3, int16", "conv.int16.neon", 0.49},
        Bound{"raspberry-pi-4", "depthwise 3x3, int16", "depthwise.int16.neon", 1.0},
        Bound{"raspberry-pi-4", "dense, int16", "dense.int16.neon", 0.56},
        Bound{"raspberry-pi-zero", "conv 3x3, int16", "conv.int16.smlad", 1.09},
        Bound{"raspberry-pi-zero", "depthwise 3x3, int16", "depthwise_plane.int16.smlad", 2.12},
        Bound{"raspberry-pi-zero", "dense, int16", "dense.int16.smlad", 1.25},
        Bound{"raspberry-pi-4", "depthwise 3x3 64 8x8", "depthwise.neon", 0.74},
        Bound{"raspberry-pi-4", "depthwise 3x3 stride 2 64 16x16", "depthwise.neon", 0.80},
        Bound{"raspberry-pi-4", "depthwise 3x3, int4", "depthwise_int4.neon", 0.74},
        Bound{"raspberry-pi-4", "dense 256->64", "dense.neon", 0.32},
        Bound{"raspberry-pi-4", "dense, 50 % blocks, 16 clusters", "dense_blocks_codebook16.neon",
              0.54},
        Bound{"raspberry-pi-4", "dense, 75 % blocks, 16 clusters", "dense_blocks_codebook16.neon",
              0.30},
        Bound{"raspberry-pi-zero", "conv 3x3 16->16 16x16", "conv.armv6", 1.25},
        Bound{"raspberry-pi-zero", "conv 1x1, int4", "conv_int4.armv6", 1.08},
        Bound{"raspberry-pi-zero", "conv 1x1, 64 clusters", "conv_codebook256.armv6", 1.34},
        Bound{"raspberry-pi-zero", "conv 3x3, 75 % 1x4 blocks", "conv_blocks.armv6", 0.66},
        Bound{"raspberry-pi-zero", "conv 3x3, 75 % blocks, 16 clusters",
              "conv_blocks_codebook16.armv6", 0.77},
        Bound{"raspberry-pi-zero", "conv 1x1, 90 % zeros", "conv_unstructured.armv6", 0.67},
        Bound{"raspberry-pi-zero", "conv 1x1, bitmap 90 %", "conv_bitmap.armv6", 0.65},
        Bound{"raspberry-pi-zero", "dense, int4", "dense_int4.armv6", 1.31},
        Bound{"raspberry-pi-zero", "dense, 16 clusters", "dense_codebook16.armv6", 1.72},
        Bound{"raspberry-pi-zero", "dense, 75 % 1x4 blocks", "dense_blocks.armv6", 1.12},
        Bound{"raspberry-pi-zero", "dense, 75 % blocks, 16 clusters",
              "dense_blocks_codebook16.armv6", 1.19},
        Bound{"raspberry-pi-zero", "depthwise 3x3 64 8x8", "depthwise.armv6", 3.70, false},
        Bound{"raspberry-pi-zero", "depthwise 3x3, int4", "depthwise_int4.armv6", 3.90},
        Bound{"raspberry-pi-zero", "depthwise 3x3 64 8x8", "depthwise_plane.armv6", 2.23},
        Bound{"raspberry-pi-zero", "dense 256->64", "dense.armv6", 1.26}),
    [](const auto& test) {
      std::string name = std::string(test.param.kernel) + test.param.shape;
      std::erase_if(name, [](unsigned char c) { return !std::isalnum(c); });
      return name;
    });

}  // namespace
}  // namespace assay::test
