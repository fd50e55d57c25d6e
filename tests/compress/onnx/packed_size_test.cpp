// Packed sizes and weight statistics of models small enough to count by hand.
#include "compress/onnx/packed_size.hpp"

#include <gmock/gmock.h>

#include "compress/onnx/weight_tensors.hpp"

namespace assay::onnx {
namespace {

template <class T>
void add(Model& model, const std::string& name, ElementType type, std::vector<std::int64_t> shape,
         std::vector<T> values) {
  model.initializers[name] = Tensor::of<T>(name, type, std::move(shape), values);
}

Node node(const std::string& op_type, std::vector<std::string> inputs, const std::string& output) {
  return {output, op_type, "", std::move(inputs), {output}, {}};
}

/// x -> Conv with weights and bias behind DequantizeLinear -> y.
Model quantized_model(std::vector<std::int8_t> weights) {
  Model model;
  const auto count = std::int64_t(weights.size());
  model.inputs = {{"x", ElementType::float32, {-1, 1, 1, 1}}};
  model.outputs = {{"y", ElementType::float32, {-1, 1, 1, 1}}};
  add(model, "w", ElementType::int8, {1, count, 1, 1}, std::move(weights));
  add<float>(model, "w_scale", ElementType::float32, {1}, {0.5F});
  add<std::int8_t>(model, "w_zero", ElementType::int8, {1}, {0});
  add<std::int32_t>(model, "b", ElementType::int32, {1}, {7});
  add<float>(model, "b_scale", ElementType::float32, {1}, {0.25F});
  model.nodes = {node("DequantizeLinear", {"w", "w_scale", "w_zero"}, "w_real"),
                 node("DequantizeLinear", {"b", "b_scale"}, "b_real"),
                 node("Conv", {"x", "w_real", "b_real"}, "y")};
  return model;
}

TEST(PackedWeightBytes, PacksIntegersAtTheWidthTheirValuesNeed) {
  const struct {
    std::vector<std::int8_t> weights;
    std::uint64_t bytes;
    int bits;
    std::int64_t zeros;
    std::int64_t distinct;
  } cases[] = {
      {{-1, 0, 1, 1, 0}, 2, 2, 2, 3},                            // 10 bits
      {{0, 0, 0, 0}, 1, 2, 4, 1},     {{-7, 7, 2}, 2, 4, 0, 3},  // 12 bits
      {{-7, 8, 2}, 3, 8, 0, 3},       {{-2, -2, 0}, 2, 4, 1, 2}, {{-128, 127, 0, 0}, 4, 8, 2, 3},
  };
  for (const auto& test : cases) {
    const Model model = quantized_model(test.weights);
    // A bias of 4 bytes; two scales of 4 bytes and a zero point of one.
    EXPECT_EQ(packed_weight_bytes(model),
              (PackedSize{.weights = test.bytes, .biases = 4, .scales = 9, .others = 0}));
    EXPECT_EQ(packed_weight_bytes(model).bytes(), test.bytes + 13);
    const auto statistics = weight_statistics(model);
    ASSERT_EQ(statistics.size(), 1U);
    EXPECT_EQ(statistics[0].layer, "y");
    EXPECT_EQ(statistics[0].tensor, "w");
    EXPECT_EQ(statistics[0].count, std::int64_t(test.weights.size()));
    EXPECT_EQ(statistics[0].bits, test.bits);
    EXPECT_EQ(statistics[0].zeros, test.zeros);
    EXPECT_EQ(statistics[0].distinct, test.distinct);
  }
}

TEST(PackedWeightBytes, CountsFloatsAsTheyAreAndSharedConstantsOnce) {
  Model model;
  add<float>(model, "w", ElementType::float32, {2, 2}, {0.0F, -0.0F, 1.5F, 1.5F});
  add<float>(model, "b", ElementType::float32, {2}, {1, 2});
  add<std::uint16_t>(model, "h", ElementType::float16, {2, 2}, {0x3c00, 0x8000, 0x3c00, 0x4000});
  add<std::int64_t>(model, "shape", ElementType::int64, {2}, {-1, 2});
  model.nodes = {node("Gemm", {"x", "w", "b"}, "a"), node("Gemm", {"a", "w", "b"}, "c"),
                 node("Cast", {"h"}, "h_float"), node("MatMul", {"c", "h_float"}, "d"),
                 node("Reshape", {"d", "shape"}, "y")};
  // As two values and 4 indices of a bit, the first; as three and 4 indices of two bits, the
  // second.
  EXPECT_EQ(packed_weight_bytes(model),
            (PackedSize{.weights = 9 + 7, .biases = 8, .scales = 0, .others = 16}));
  const auto statistics = weight_statistics(model);
  ASSERT_EQ(statistics.size(), 2U);
  EXPECT_EQ(statistics[0].zeros, 2);  // 0 and -0
  EXPECT_EQ(statistics[0].distinct, 2);
  EXPECT_EQ(statistics[0].bits, 32);
  EXPECT_EQ(statistics[1].layer, "d");
  EXPECT_EQ(statistics[1].zeros, 1);
  EXPECT_EQ(statistics[1].distinct, 3);
  EXPECT_EQ(statistics[1].bits, 16);
}

TEST(PackedWeightBytes, CountsClusteredWeightsAsIndicesWhereThatIsLess) {
  const auto bytes = [](std::vector<std::int64_t> shape, int distinct, bool by_channel) {
    std::size_t count = 1;
    for (const std::int64_t size : shape)
      count *= static_cast<std::size_t>(size);
    const std::size_t row = count / static_cast<std::size_t>(shape[0]);
    std::vector<std::int8_t> weights(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t first = by_channel ? i / row * static_cast<std::size_t>(distinct) : 0;
      weights[i] = static_cast<std::int8_t>(100 - first - i % static_cast<std::size_t>(distinct));
    }
    Model model = quantized_model({});
    add<std::int8_t>(model, "w", ElementType::int8, shape, weights);
    return packed_weight_bytes(model).weights;
  };
  EXPECT_EQ(bytes({4, 64, 1, 1}, 16, false), 256U / 2 + 16);
  EXPECT_EQ(bytes({4, 64, 1, 1}, 17, false), 256U);  // indices of 8 bits bring nothing
  EXPECT_EQ(bytes({4, 64, 1, 1}, 4, false), 256U / 4 + 4);
  EXPECT_EQ(bytes({4, 64, 1, 1}, 3, false), 256U / 4 + 3);
  EXPECT_EQ(bytes({4, 64, 1, 1}, 2, false), 256U / 8 + 2);
  EXPECT_EQ(bytes({4, 64, 1, 1}, 4, true), 256U / 4 + 4 * 4);  // a codebook for each channel
  EXPECT_EQ(bytes({4, 64, 1, 1}, 2, true), 256U / 8 + 4 * 2);
}

TEST(WeightStatistics, CountsTheZeroPointAsZero) {
  Model model = quantized_model({});
  add<std::uint8_t>(model, "w", ElementType::uint8, {1, 4, 1, 1}, {128, 0, 128, 255});
  add<std::uint8_t>(model, "w_zero", ElementType::uint8, {1}, {128});
  const auto statistics = weight_statistics(model);
  ASSERT_EQ(statistics.size(), 1U);
  EXPECT_EQ(statistics[0].zeros, 2);
  EXPECT_EQ(statistics[0].bits, 8);
}

}  // namespace
}  // namespace assay::onnx
