#include "compress/onnx/entropy_size.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace assay::onnx {
namespace {

Tensor int8_tensor(const std::vector<std::int8_t>& values) {
  return Tensor::of<std::int8_t>("w", ElementType::int8,
                                 {static_cast<std::int64_t>(values.size()), 1}, values);
}

Tensor float_tensor(const std::vector<float>& values) {
  return Tensor::of<float>("w", ElementType::float32, {static_cast<std::int64_t>(values.size()), 1},
                           values);
}

/// `count` values, the one at `index` from a function of it.
template <class Value, class Function>
std::vector<Value> made(std::size_t count, Function function) {
  std::vector<Value> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<Value>(function(i));
  return values;
}

struct Case {
  const char* name;
  Tensor tensor;
  std::uint64_t largest_difference;
  EntropySize expected;
  std::int64_t zero = 0;
};

class EntropySizeTest : public ::testing::TestWithParam<Case> {};

TEST_P(EntropySizeTest, IsWhatOneCountsByHand) {
  const Case& c = GetParam();
  const EntropySize size = entropy_size(c.tensor, c.largest_difference, c.zero);
  EXPECT_EQ(size.values, c.expected.values);
  EXPECT_EQ(size.indices, c.expected.indices);
  EXPECT_EQ(size.codebooks, c.expected.codebooks);
  EXPECT_EQ(size.tables, c.expected.tables);
  EXPECT_EQ(size.others, 0u);
}

std::vector<Case> cases() {
  constexpr auto conv = largest_difference_conv;
  constexpr auto dense = largest_difference_dense;
  const auto every_hundredth =
      int8_tensor(made<std::int8_t>(3000, [](auto i) { return i % 100 == 99 ? 5 : 0; }));
  const auto first_only =
      int8_tensor(made<std::int8_t>(10000, [](auto i) { return i == 0 ? 5 : 0; }));
  return {
      {"Nothing", int8_tensor({}), conv, {}},
      {"AllZero", int8_tensor(std::vector<std::int8_t>(1000)), conv, {}},
      {"AllNegativeZero", float_tensor(std::vector<float>(1000, -0.0f)), dense, {}},
      {"AllZeroPoint",
       Tensor::of<std::uint8_t>("w", ElementType::uint8, {10, 100},
                                std::vector<std::uint8_t>(1000, 128)),
       conv,
       {},
       128},
      // One bit each: 1000 / 8. Positions would cost another 125 bytes, so there are none.
      {"OneValue",
       int8_tensor(std::vector<std::int8_t>(1000, 7)),
       conv,
       {.values = 125, .codebooks = 1, .tables = 1}},
      // log2(16) = 4 bits each.
      {"Uniform",
       int8_tensor(made<std::int8_t>(1024, [](auto i) { return 1 + i % 16; })),
       conv,
       {.values = 512, .codebooks = 16, .tables = 16}},
      {"TwoFloats",
       float_tensor(made<float>(1000, [](auto i) { return i % 2 ? 0.5 : -0.5; })),
       conv,
       {.values = 125, .codebooks = 8, .tables = 2}},
      {"DistinctFloats",
       float_tensor(made<float>(256, [](auto i) { return 1 + i; })),
       conv,
       {.values = 1024}},
      // 30 nonzeros a hundred apart: 30 bits of values, 30 of differences, 100 table bytes for
      // differences up to 100 and one for the value.
      {"SparseConv",
       every_hundredth,
       conv,
       {.values = 4, .indices = 4, .codebooks = 1, .tables = 101}},
      // A hundred is 32 + 32 + 32 + 4: three filler zeros for each nonzero, 120 stored positions of
      // one bit for the value (5 or 0) and one for the difference (32 or 4).
      {"SparseDense",
       every_hundredth,
       dense,
       {.values = 15, .indices = 15, .codebooks = 2, .tables = 34}},
      {"NoFillersAfterTheLast",
       first_only,
       dense,
       {.values = 1, .indices = 1, .codebooks = 1, .tables = 2}},
      // Seven entries and seven lengths would cost more than the values.
      {"TooSmallToCode", int8_tensor({1, 2, 3, 4, 5, 6, 7}), dense, {.values = 7}},
  };
}

INSTANTIATE_TEST_SUITE_P(Tensors, EntropySizeTest, ::testing::ValuesIn(cases()),
                         [](const auto& c) { return std::string(c.param.name); });

// The largest difference itself needs no filler, one more needs one (figure 2 of the paper).
TEST(EntropySize, AFillerStandsWhereASpanIsTooLong) {
  const auto with_gap = [](std::size_t gap) {
    return int8_tensor(
        made<std::int8_t>(gap * 500, [gap](auto i) { return i % gap == 0 ? 3 : 0; }));
  };
  // 500 stored values; the first difference is 1, the others 32: one bit each.
  EXPECT_EQ(entropy_size(with_gap(32), 32),
            (EntropySize{.values = 63, .indices = 63, .codebooks = 1, .tables = 33}));
  // 499 fillers: 999 positions, differences 1 (the first, and after every filler) and 32.
  EXPECT_EQ(entropy_size(with_gap(33), 32),
            (EntropySize{.values = 125, .indices = 125, .codebooks = 2, .tables = 34}));
}

std::vector<std::int8_t> normal_weights(std::size_t count) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, 30);
  return made<std::int8_t>(
      count, [&](auto) { return std::clamp(std::round(normal(random)), -127.0, 127.0); });
}

TEST(EntropySize, MergingValuesNeverCosts) {
  const auto weights = normal_weights(5000);
  std::uint64_t before = entropy_size(int8_tensor(weights), 256).bytes();
  for (const int step : {2, 4, 8, 16, 32, 64}) {
    // Nested clusters that keep zero apart: each step merges neighbours of the one before.
    const auto merged = made<std::int8_t>(weights.size(), [&](auto i) {
      const int magnitude = std::abs(weights[i]);
      const int centre = magnitude == 0 ? 0 : (magnitude - 1) / step * step + 1;
      return weights[i] < 0 ? -centre : centre;
    });
    const auto after = entropy_size(int8_tensor(merged), 256).bytes();
    EXPECT_LT(after, before) << step;
    before = after;
  }
}

TEST(EntropySize, PruningTheSmallestPaysFromHalfOn) {
  const auto weights = normal_weights(20000);
  std::uint64_t before = weights.size();
  for (const int threshold : {20, 30, 40, 60, 80}) {
    const auto pruned = made<std::int8_t>(
        weights.size(), [&](auto i) { return std::abs(weights[i]) < threshold ? 0 : weights[i]; });
    for (const auto largest : {largest_difference_conv, largest_difference_dense}) {
      const auto size = entropy_size(int8_tensor(pruned), largest);
      EXPECT_LT(size.bytes(), before) << threshold;
    }
    before = entropy_size(int8_tensor(pruned), largest_difference_dense).bytes();
  }
}

TEST(EntropySize, IsNeverMoreThanTheTensorItself) {
  std::mt19937 random(4);
  for (int trial = 0; trial < 300; ++trial) {
    const auto kinds = 1 + random() % 256;
    const auto values = made<std::int8_t>(random() % 700, [&](auto) { return random() % kinds; });
    const auto size = entropy_size(int8_tensor(values), trial % 2 ? 32 : 256);
    EXPECT_LE(size.bytes(), values.size());
  }
}

/// A convolution of floats, a dense layer of dequantized int8 and a product with cast halves.
Model mixed_model() {
  const std::vector<std::int8_t> sevens(400, 7);
  const std::vector<float> halves(1000, 0.5f);
  const std::vector<std::uint16_t> ones(80, 0x3c00);
  const std::vector<float> bias(10, 1.0f), scale(1, 0.1f);
  const std::vector<std::int8_t> point(1, 7);
  Model model;
  for (auto& tensor : {Tensor::of<float>("conv.w", ElementType::float32, {10, 4, 5, 5}, halves),
                       Tensor::of<float>("conv.b", ElementType::float32, {10}, bias),
                       Tensor::of<std::int8_t>("gemm.w", ElementType::int8, {10, 40}, sevens),
                       Tensor::of<float>("gemm.scale", ElementType::float32, {}, scale),
                       Tensor::of<std::int8_t>("gemm.point", ElementType::int8, {}, point),
                       Tensor::of<std::uint16_t>("product.w", ElementType::float16, {8, 10}, ones)})
    model.initializers[tensor.name] = tensor;
  model.nodes = {
      {"conv", "Conv", "", {"x", "conv.w", "conv.b"}, {"a"}, {}},
      {"again", "Conv", "", {"a", "conv.w", "conv.b"}, {"b"}, {}},
      {"q", "DequantizeLinear", "", {"gemm.w", "gemm.scale", "gemm.point"}, {"w"}, {}},
      {"gemm", "Gemm", "", {"b", "w", "conv.b"}, {"c"}, {}},
      {"cast", "Cast", "", {"product.w"}, {"v"}, {}},
      {"product", "MatMul", "", {"v", "c"}, {"y"}, {}},
  };
  return model;
}

TEST(EntropySize, OfAModelCodesWeightsOnceAndChargesTheRest) {
  // conv.w: 1000 bits, a 4-byte entry, one length. gemm.w is all zero point: nothing. product.w:
  // 80 bits, a 2-byte entry, one length. The rest: 40 + 4 + 1 bytes.
  EXPECT_EQ(entropy_size(mixed_model()),
            (EntropySize{.values = 125 + 10, .codebooks = 4 + 2, .tables = 2, .others = 45}));
}

TEST(EntropySize, ConvolutionsAndDenseLayersHaveTheirOwnDifferences) {
  Model model;
  model.initializers["w"] =
      int8_tensor(made<std::int8_t>(3000, [](auto i) { return i % 100 == 99 ? 5 : 0; }));
  model.nodes = {{"layer", "Conv", "", {"x", "w"}, {"y"}, {}}};
  EXPECT_EQ(entropy_size(model).bytes(), 110u);
  model.nodes.front().op_type = "Gemm";
  EXPECT_EQ(entropy_size(model).bytes(), 66u);
  model.nodes.front().op_type = "Add";
  EXPECT_EQ(entropy_size(model).bytes(), 3000u);
}

}  // namespace
}  // namespace assay::onnx
