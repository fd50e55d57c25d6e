// What scratch memory kernels take, over shapes from the smallest to beyond any network's.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/core/part.hpp"
#include "targets/pack/bench_shapes.hpp"
#include "targets/pack/deployment.hpp"
#include "targets/pack/kernel.hpp"

namespace assay::test {
namespace {

constexpr Bytes first_class{4096};

Window window(int kernel, int stride) {
  const int pad = kernel / 2;
  return {kernel, kernel, stride, stride, pad, pad, pad, pad};
}

/// Few output channels: scratch does not depend on them.
std::vector<SingleLayer> convolutions() {
  std::vector<SingleLayer> shapes;
  for (const int channels : {1, 2, 3, 16, 31, 64, 115, 128, 256, 500, 1024, 3000})
    for (const int kernel : {1, 3, 5, 7})
      for (const int stride : {1, 2})
        for (const int size : {1, 4, 7, 24})
          if (channels * kernel * kernel <= 12000)
            shapes.push_back(
                {IntegerOp::convolution, size, size, channels, 4, window(kernel, stride)});
  return shapes;
}

std::vector<SingleLayer> dense_layers() {
  std::vector<SingleLayer> shapes;
  for (const int inputs : {1, 7, 64, 500, 1024, 2048, 2049, 3136, 40000})
    shapes.push_back({IntegerOp::dense, 1, 1, inputs, 4, {}});
  return shapes;
}

std::vector<SingleLayer> depthwise_layers() {
  std::vector<SingleLayer> shapes;
  for (const int kernel : {1, 3, 5, 7, 11, 15})
    for (const int stride : {1, 2, 5})
      for (const int width : {1, 8, 33, 112, 160, 224, 500, 3000})
        for (const int channels : {7, 64, 1500})
          shapes.push_back(
              {IntegerOp::depthwise, 9, width, channels, channels, window(kernel, stride)});
  return shapes;
}

std::string describe(const SingleLayer& s) {
  return fmt::format("{} {}x{} stride {} of {}x{}x{}", to_string(s.op), s.window.kernel_height,
                     s.window.kernel_width, s.window.stride_height, s.height, s.width, s.channels);
}

class ScratchOn : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto core = load_core(GetParam());
    ASSERT_TRUE(core) << core.error().message;
    core_ = *core;
  }
  Core core_;
};

/// Every row that a layer can be given without asking for it by name.
TEST_P(ScratchOn, IsAtMostFourKilobytesWithoutAskingForMore) {
  int looked_at = 0;
  for (const auto& shapes : {convolutions(), dense_layers(), depthwise_layers()})
    for (const SingleLayer& shape : shapes)
      for (const WeightFill fill : {WeightFill::ternary, WeightFill::blocks75}) {
        const IntegerGraph graph = single_layer_graph(shape, 1, fill);
        const LayerView view(graph, graph.layers[0]);
        for (const KernelRow* row : candidate_kernels(view, core_)) {
          if (row->large_scratch) continue;
          EXPECT_LE(row->scratch(view), first_class) << row->name << ": " << describe(shape);
          ++looked_at;
        }
      }
  EXPECT_GT(looked_at, 1000);
}

/// However long the window, the layer keeps a kernel made for the core.
TEST_P(ScratchOn, NeverLeavesALayerToTheReferenceKernel) {
  for (const auto& shapes : {convolutions(), dense_layers(), depthwise_layers()})
    for (const SingleLayer& shape : shapes) {
      const IntegerGraph graph = single_layer_graph(shape, 1);
      const LayerView view(graph, graph.layers[0]);
      EXPECT_NE(choose_kernel(view, core_).name, reference_kernel(shape.op).name)
          << describe(shape);
    }
}

/// Layers over int16 tensors: where one window takes more, kernels with large scratch take it.
TEST_P(ScratchOn, OfInt16IsSmallAndSparesTheReferenceKernel) {
  for (const auto& shapes : {convolutions(), dense_layers(), depthwise_layers()})
    for (SingleLayer shape : shapes) {
      shape.element = Element::int16;
      const IntegerGraph graph = single_layer_graph(shape, 1);
      const LayerView view(graph, graph.layers[0]);
      const int window = shape.channels * shape.window.kernel_height * shape.window.kernel_width;
      const bool fits = shape.op != IntegerOp::convolution || window <= 2048;
      const std::string_view reference = reference_kernel(view).name;
      EXPECT_EQ(choose_kernel(view, core_).name != reference, fits) << describe(shape);
      int others = 0;
      for (const KernelRow* row : candidate_kernels(view, core_)) {
        others += row->name != reference;
        if (row->large_scratch) continue;
        EXPECT_LE(row->scratch(view), first_class) << row->name << ": " << describe(shape);
      }
      EXPECT_GE(others, 1) << describe(shape);
    }
}

INSTANTIATE_TEST_SUITE_P(Cores, ScratchOn,
                         ::testing::Values("cortex-m4f", "cortex-m7", "cortex-m0"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

/// Compression is not lost to the length of a window.
TEST(ScratchOfPackedWeights, FitsWindowsOfAnyLength) {
  const struct {
    WeightFill fill;
    WeightForm form;
  } packed[] = {{WeightFill::int4, WeightForm::int4},
                {WeightFill::ternary, WeightForm::ternary},
                {WeightFill::clusters16, WeightForm::codebook16},
                {WeightFill::clusters64, WeightForm::codebook256}};
  const auto core = load_core("cortex-m4f");
  ASSERT_TRUE(core) << core.error().message;
  for (const auto& shapes : {convolutions(), dense_layers()})
    for (const SingleLayer& shape : shapes)
      for (const auto& one : packed) {
        const IntegerGraph graph = single_layer_graph(shape, 1, one.fill);
        const LayerView view(graph, graph.layers[0]);
        if (view.layer.weights.size() < 1000) continue;  // a codebook or fillers may cost more
        EXPECT_TRUE(find_kernel(view, *core, one.form))
            << to_string(one.form) << ": " << describe(shape);
      }
}

TEST(ScratchOfSparseWeights, FitsBlocksOfAThreeByThreeWindowOf128Channels) {
  const auto core = load_core("cortex-m4f");
  ASSERT_TRUE(core) << core.error().message;
  const IntegerGraph graph = single_layer_graph(
      {IntegerOp::convolution, 8, 8, 128, 4, window(3, 1)}, 1, WeightFill::blocks75);
  EXPECT_TRUE(find_kernel(LayerView(graph, graph.layers[0]), *core, WeightForm::blocks));
}

/// A row says no to a layer for which it would need more, also when it is asked by name.
TEST(Scratch, BeyondTheLimitIsRefused) {
  const auto core = load_core("cortex-m4f");
  ASSERT_TRUE(core) << core.error().message;
  const IntegerGraph graph =
      single_layer_graph({IntegerOp::convolution, 8, 8, 256, 4, window(3, 1)}, 1);
  const LayerView view(graph, graph.layers[0]);
  EXPECT_FALSE(find_kernel_named(view, *core, "conv.dsp"));
  EXPECT_EQ(choose_kernel(view, *core).name, "conv_wide.dsp");
  EXPECT_FALSE(deploy(graph, &*core, {.force_kernel = "conv.dsp"}));
}

}  // namespace
}  // namespace assay::test
