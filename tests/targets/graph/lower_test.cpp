// What lowering accepts in which form; lower_refusal_test.cpp has what it does not.
#include "targets/graph/lower.hpp"

#include <gmock/gmock.h>

#include "tests/targets/graph/qdq_builder.hpp"

namespace assay {
namespace {

using onnx::ElementType;
using onnx::Node;
using onnx::Tensor;
using test::last_node;
using test::QdqBuilder;
using test::small_classifier;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const test::ConvOptions plain{.outputs = 4, .pads = {0, 0, 0, 0}};

std::vector<IntegerOp> operators(const IntegerGraph& graph) {
  std::vector<IntegerOp> ops;
  for (const IntegerLayer& layer : graph.layers)
    ops.push_back(layer.op);
  return ops;
}

TEST(Lower, ASmallClassifierBecomesItsLayers) {
  QdqBuilder b(1, 1, 8, 8);
  auto x = b.max_pool(b.conv(b.input(), {.outputs = 4}, "Relu"), 2, 2);
  x = b.conv(x, {.depthwise = true}, "Clip");
  const auto graph = lower(b.finish(b.dense(b.flatten(b.global_average_pool(x)), 3)));
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(operators(*graph), ::testing::ElementsAre(IntegerOp::convolution, IntegerOp::max_pool,
                                                        IntegerOp::depthwise,
                                                        IntegerOp::average_pool, IntegerOp::dense));
  EXPECT_EQ(graph->layers[0].name, "node_conv0");
  EXPECT_EQ(graph->layers[0].macs, Macs(8 * 8 * 4 * 9));
  EXPECT_EQ(graph->layers[2].macs, Macs(4 * 4 * 4 * 9));
  EXPECT_EQ(graph->layers[4].macs, Macs(12));
  EXPECT_EQ(graph->layers[3].window.kernel_height, 4);
  EXPECT_EQ(graph->tensors[graph->output].size(), 3);
  EXPECT_THAT(graph->notices, IsEmpty());
}

TEST(Lower, Relu6BecomesClampLimits) {
  QdqBuilder b(2, 1, 5, 5);
  const auto x = b.conv(b.input(), plain, "Clip");
  onnx::Model model = b.finish(b.flatten(b.global_average_pool(x)));
  // 6 at scale 0.05 is 120 steps above the zero point.
  const float scale = 0.05f;
  const std::string base = last_node(model, "Clip").outputs[0];
  model.initializers[base + "_scale"] =
      Tensor::of(base + "_scale", ElementType::float32, {}, std::span(&scale, 1));
  const std::int8_t zero = -100;
  model.initializers[base + "_zero"] =
      Tensor::of(base + "_zero", ElementType::int8, {}, std::span(&zero, 1));
  const auto graph = lower(model);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->layers[0].clamp_min, -100);
  EXPECT_EQ(graph->layers[0].clamp_max, 20);
}

TEST(Lower, UnsignedActivationsAreShiftedWithANotice) {
  QdqBuilder b(3, 1, 6, 6, ElementType::uint8);
  const auto graph = lower(b.finish(b.dense(b.flatten(b.conv(b.input(), plain, "Relu")), 3)));
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(graph->notices, Contains(HasSubstr("shifted by 128")));
  EXPECT_EQ(graph->tensors[1].zero_point, -128);
}

TEST(Lower, AWeightOfMinus128IsClampedWithANotice) {
  QdqBuilder b(4, 1, 6, 6);
  onnx::Model model = b.finish(b.dense(b.flatten(b.conv(b.input(), plain)), 3));
  model.initializers.at("conv0_w_q").data[0] = std::byte(0x80);
  const auto graph = lower(model);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(graph->notices, Contains(AllOf(HasSubstr("node_conv0"), HasSubstr("-128"))));
  EXPECT_EQ(graph->layers[0].weights[0], -127);
}

TEST(Lower, SoftmaxIsLeftToTheHostWithANotice) {
  QdqBuilder b(5, 1, 6, 6);
  onnx::Model model = b.finish(b.dense(b.flatten(b.conv(b.input(), plain)), 3));
  last_node(model, "Identity").op_type = "Softmax";
  const auto graph = lower(model);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(graph->notices, Contains(HasSubstr("left to the host")));
  EXPECT_EQ(graph->layers.size(), 2u);
}

TEST(Lower, WeightsMayStayFloatBehindTheirQuantizeLinear) {
  QdqBuilder b(6, 1, 6, 6);
  onnx::Model model = b.finish(b.dense(b.flatten(b.conv(b.input(), plain)), 3));
  const auto expected = lower(model);
  const Tensor stored = model.initializers.at("conv0_w_q");
  const Tensor scales = model.initializers.at("conv0_w_scale");
  std::vector<float> reals;
  const auto per_channel = stored.data.size() / 4;
  for (std::size_t i = 0; i < stored.data.size(); ++i)
    reals.push_back(float(stored.as<std::int8_t>()[i]) * scales.as<float>()[i / per_channel]);
  model.initializers.erase("conv0_w_q");
  model.initializers["conv0_w_f"] =
      Tensor::of("conv0_w_f", ElementType::float32, stored.shape, std::span<const float>(reals));
  Node quantize{
      "qw",          "QuantizeLinear",           "", {"conv0_w_f", "conv0_w_scale", "conv0_w_zero"},
      {"conv0_w_q"}, {{"axis", std::int64_t(0)}}};
  model.nodes.insert(model.nodes.begin(), quantize);
  const auto graph = lower(model);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->layers[0].weights, expected->layers[0].weights);
  EXPECT_EQ(graph->layers[0].requantization.bias, expected->layers[0].requantization.bias);
}

TEST(Lower, AnActivationBehindItsQuantizationCostsAPassAndSaysSo) {
  QdqBuilder b(7, 1, 6, 6);
  const auto x = b.conv(b.input(), plain);
  b.node("Relu", {x}, "late");
  const auto graph = lower(b.finish(b.dense(b.flatten(b.quantized("late")), 3)));
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->layers[1].op, IntegerOp::average_pool);
  EXPECT_EQ(graph->layers[1].clamp_min, graph->tensors[2].zero_point);
  EXPECT_THAT(graph->notices, Contains(AllOf(HasSubstr("node_late"), HasSubstr("pass"))));
}

TEST(Lower, AutoPadIsOnnxs) {
  for (const auto& [mode, top, bottom] :
       {std::tuple{"SAME_UPPER", 0, 1}, {"SAME_LOWER", 1, 0}, {"VALID", 0, 0}}) {
    QdqBuilder b(8, 1, 6, 6);
    onnx::Model model =
        b.finish(b.flatten(b.global_average_pool(b.conv(b.input(), {.outputs = 2, .stride = 2}))));
    last_node(model, "Conv").attributes["auto_pad"] = std::string(mode);
    last_node(model, "Conv").attributes.erase("pads");
    const auto graph = lower(model);
    ASSERT_TRUE(graph) << graph.error().message;
    EXPECT_EQ(graph->layers[0].window.pad_top, top) << mode;
    EXPECT_EQ(graph->layers[0].window.pad_bottom, bottom) << mode;
    EXPECT_EQ(graph->tensors[1].height, mode == std::string("VALID") ? 2 : 3);
  }
}

TEST(Lower, AnInputMayBeInt8Already) {
  onnx::Model model = small_classifier();
  const auto expected = lower(model);
  ASSERT_TRUE(expected);
  model.nodes.erase(model.nodes.begin());  // its QuantizeLinear
  model.inputs[0].type = ElementType::int8;
  model.inputs[0].name = "image_q";
  const auto graph = lower(model);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->tensors[0].scale, expected->tensors[0].scale);
  EXPECT_EQ(graph->layers[0].requantization.bias, expected->layers[0].requantization.bias);
}

TEST(Lower, ADequantizeLinearMayLeaveOutAZeroPointOfZero) {
  onnx::Model model = small_classifier();
  const std::int8_t zero = 0;
  model.initializers["dense3_zero"] =
      Tensor::of("dense3_zero", ElementType::int8, {}, std::span(&zero, 1));
  last_node(model, "DequantizeLinear").inputs.pop_back();
  const auto graph = lower(model);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->tensors[graph->output].zero_point, 0);
}

}  // namespace
}  // namespace assay
