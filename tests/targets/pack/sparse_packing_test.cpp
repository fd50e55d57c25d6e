// The bytes of sparse weights, worked out by hand from the description in
// targets/runtime/dsp/sparse_layout.hpp.
#include <gtest/gtest.h>

#include <algorithm>

#include "targets/pack/bench_shapes.hpp"
#include "targets/pack/kernel.hpp"

namespace assay {
namespace {

constexpr IntegerOp conv = IntegerOp::convolution;
constexpr IntegerOp dense = IntegerOp::dense;

struct Packing {
  const char* name;
  SingleLayer shape;
  std::vector<std::int8_t> weights;  ///< zeros follow
  WeightForm form;
  const char* array;
  std::vector<std::int64_t> expected;
};

/// A weight after so many zeros.
std::vector<std::int8_t> after_zeros(std::size_t zeros, std::int8_t weight) {
  std::vector<std::int8_t> weights(zeros, 0);
  weights.push_back(weight);
  return weights;
}

const Window three{.kernel_width = 3, .pad_left = 1, .pad_right = 1};
const Window every_second{.kernel_width = 3, .stride_width = 2};
const SingleLayer pixels{conv, 2, 4, 6, 1, {}};
const SingleLayer deep_pixels{conv, 2, 4, 24, 1, {}};
const SingleLayer row{conv, 1, 8, 1, 1, three};
const SingleLayer strided{conv, 1, 17, 1, 1, every_second};
const SingleLayer nine{dense, 1, 1, 9, 2, {}};
const SingleLayer wide{dense, 1, 1, 40, 2, {}};

using Form = WeightForm;
const Packing packings[] = {
    {"Blocks", pixels, {0, 0, 0, 0, 0, -3}, Form::blocks, "stream", {1, 0, -3, 0, 0, -1}},
    // Numbers of -3, 0 and 5.
    {"NumberedBlocks",
     deep_pixels,
     {5, 0, 0, 0, 0, -3},
     Form::blocks_codebook16,
     "stream",
     {0, 0x12, 0x11, 2 * 1 + 1, 0x11, 0x10}},
    {"NumberedValues",
     deep_pixels,
     {5, 0, 0, 0, 0, -3},
     Form::blocks_codebook16,
     "values",
     {-3, 0, 5}},
    {"Single", pixels, {0, 0, 0, 0, 0, -3}, Form::unstructured, "stream", {5, -3, -1}},
    {"Bitmap", pixels, {0, 0, 0, 0, 0, -3}, Form::bitmap, "stream", {0x04, -3}},
    {"RowOfBlocks", row, {7, 0, 9}, Form::blocks, "stream", {0, 7, 0, 0, 0, 2, 9, 0, 0, 0, -1}},
    {"RowOfSingle", row, {7, 0, 9}, Form::unstructured, "stream", {0, 7, 2, 9, -1}},
    {"RowOfBits", row, {7, 0, 9}, Form::bitmap, "stream", {-128, 7, 0, -128, 9}},
    // Eight pixels make 9 even columns, then the odd ones; pairs of pixels make 5.
    {"StridedBlocks",
     strided,
     {7, 8, 9},
     Form::blocks,
     "stream",
     {0, 7, 0, 0, 0, 1, 9, 0, 0, 0, 8, 8, 0, 0, 0, -1}},
    {"StridedSingle", strided, {7, 8, 9}, Form::unstructured, "stream", {0, 7, 1, 9, 4, 8, -1}},
    {"LongWay",
     {conv, 2, 4, 200, 1, {}},
     after_zeros(199, 5),
     Form::unstructured,
     "stream",
     {127, 0, 72, 5, -1}},
    {"LongWayOfBlocks",
     {conv, 2, 4, 600, 1, {}},
     after_zeros(599, 5),
     Form::blocks,
     "stream",
     {127, 0, 0, 0, 0, 22, 0, 0, 0, 5, -1}},
    {"NumberedLongWay",
     {conv, 2, 4, 600, 1, {}},
     after_zeros(599, 5),
     Form::blocks_codebook16,
     "stream",
     {-2, 0, 0, 2 * 22 + 1, 0, 0x10}},
    // The second channel has no weights.
    {"NumberedDense",
     wide,
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5},
     Form::blocks_codebook16,
     "stream",
     {2 * 2 + 1, 0x10, 0, 1, 0, 0}},
    {"DenseBlocks", nine, {0, 0, 0, 0, 0, 5}, Form::blocks, "stream", {1, 0, 5, 0, 0, -1, -1}},
    {"DenseFours", nine, {0, 0, 0, 0, 0, 5, -1}, Form::unstructured, "fours", {0xff05, 0x0105}},
    {"DenseCounts", nine, {0, 0, 0, 0, 0, 5, -1}, Form::unstructured, "counts", {1, 0}},
    {"DenseBitmap", nine, {0, 0, 0, 0, 0, 5}, Form::bitmap, "stream", {0, 0x04, 5, 0, 0}},
    {"LongWayOfFours",
     {dense, 1, 1, 400, 1, {}},
     after_zeros(399, 5),
     Form::unstructured,
     "fours",
     {0x0500, 0x90ff}},
    {"NoWeightsAtAll", nine, {}, Form::unstructured, "counts", {0, 0}},
};

class SparsePacking : public ::testing::TestWithParam<Packing> {};

TEST_P(SparsePacking, IsAsDescribed) {
  const Packing& packing = GetParam();
  IntegerGraph graph = single_layer_graph(packing.shape, 1);
  std::vector<std::int8_t>& weights = graph.layers[0].weights;
  ASSERT_LE(packing.weights.size(), weights.size());
  std::ranges::fill(weights, std::int8_t{0});
  std::ranges::copy(packing.weights, weights.begin());
  const LayerView view(graph, graph.layers[0]);
  Core core;
  core.dsp = true;
  const KernelRow* kernel = find_kernel(view, core, packing.form);
  ASSERT_NE(kernel, nullptr);
  for (const ConstantArray& array : kernel->pack(view))
    if (array.name == packing.array) {
      EXPECT_EQ(array.values, packing.expected);
      return;
    }
  FAIL() << kernel->name << " packs no " << packing.array;
}

INSTANTIATE_TEST_SUITE_P(All, SparsePacking, ::testing::ValuesIn(packings),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace assay
