// What lowering accepts in which form, and one refusal for everything it does not.
#include "targets/graph/lower.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "targets/graph/reference_run.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay {
namespace {

using onnx::ElementType;
using onnx::Node;
using onnx::Tensor;
using test::ConvOptions;
using test::QdqBuilder;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ConvOptions plain{.outputs = 4, .pads = {0, 0, 0, 0}};

Node& last(onnx::Model& model, const std::string& op) {
  for (auto node = model.nodes.rbegin(); node != model.nodes.rend(); ++node)
    if (node->op_type == op) return *node;
  throw std::runtime_error("no " + op);
}

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
  const std::string base = last(model, "Clip").outputs[0];
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
  last(model, "Identity").op_type = "Softmax";
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
    last(model, "Conv").attributes["auto_pad"] = std::string(mode);
    last(model, "Conv").attributes.erase("pads");
    const auto graph = lower(model);
    ASSERT_TRUE(graph) << graph.error().message;
    EXPECT_EQ(graph->layers[0].window.pad_top, top) << mode;
    EXPECT_EQ(graph->layers[0].window.pad_bottom, bottom) << mode;
    EXPECT_EQ(graph->tensors[1].height, mode == std::string("VALID") ? 2 : 3);
  }
}

/// One thing changed in a good model, and what the refusal must name.
struct Refusal {
  const char* name;
  std::function<void(onnx::Model&)> change;
  std::vector<std::string> message;
};

template <class T>
void set(onnx::Model& model, const std::string& op, const std::string& key, T value) {
  last(model, op).attributes[key] = value;
}

using Integers = std::vector<std::int64_t>;

const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> table = {
      {"unknown_operator",
       [](auto& m) { last(m, "Relu").op_type = "LSTM"; },
       {"\"node_conv0_act\" (LSTM)", "not supported", "AveragePool", "Conv"}},
      {"foreign_domain",
       [](auto& m) { last(m, "Conv").domain = "com.microsoft"; },
       {"(Conv)", "com.microsoft"}},
      {"float_model",
       [](auto& m) {
         std::erase_if(m.nodes, [](const Node& n) { return n.op_type.ends_with("Linear"); });
       },
       {"float", "quantize it to int8 first"}},
      {"dilation",
       [](auto& m) {
         set(m, "Conv", "dilations", Integers{2, 2});
       },
       {"\"node_conv0\" (Conv)", "dilations"}},
      {"grouped",
       [](auto& m) { set(m, "Conv", "group", std::int64_t(3)); },
       {"\"node_conv0\" (Conv)", "group = 3 does not divide"}},
      {"one_dimensional",
       [](auto& m) { set(m, "Conv", "strides", Integers{1}); },
       {"\"node_conv0\" (Conv)", "two-dimensional"}},
      {"padding_beyond_window",
       [](auto& m) {
         set(m, "Conv", "pads", Integers{3, 0, 0, 0});
       },
       {"\"node_conv0\" (Conv)", "padding"}},
      {"bad_auto_pad",
       [](auto& m) { set(m, "Conv", "auto_pad", std::string("WRAP")); },
       {"\"node_conv0\" (Conv)", "WRAP"}},
      {"window_too_large",
       [](auto& m) {
         set(m, "MaxPool", "kernel_shape", Integers{9, 9});
       },
       {"\"node_pool1\" (MaxPool)", "larger than the padded input"}},
      {"ceil_mode",
       [](auto& m) {
         set(m, "MaxPool", "ceil_mode", std::int64_t(1));
         set(m, "MaxPool", "strides", Integers{3, 3});
         set(m, "MaxPool", "kernel_shape", Integers{2, 2});
       },
       {"\"node_pool1\" (MaxPool)", "ceil_mode"}},
      {"pool_dilation",
       [](auto& m) {
         set(m, "MaxPool", "dilations", Integers{2, 1});
       },
       {"\"node_pool1\" (MaxPool)", "dilations"}},
      {"pool_indices",
       [](auto& m) { last(m, "MaxPool").outputs.push_back("where"); },
       {"\"node_pool1\" (MaxPool)", "Indices"}},
      {"average_leaves_out_padding",
       [](auto& m) {
         last(m, "MaxPool").op_type = "AveragePool";
         set(m, "AveragePool", "pads", Integers{1, 1, 1, 1});
       },
       {"\"node_pool1\" (AveragePool)", "count_include_pad"}},
      {"gemm_alpha",
       [](auto& m) { set(m, "Gemm", "alpha", 2.0f); },
       {"\"node_dense3\" (Gemm)", "alpha"}},
      {"dense_on_image",
       [](auto& m) { last(m, "Gemm").inputs[0] = "pool1_dq"; },
       {"\"node_dense3\" (Gemm)", "Flatten"}},
      {"dense_size",
       [](auto& m) {
         Tensor& w = m.initializers.at("dense3_w_q");
         w.shape[1] -= 1;
         w.data.resize(w.shape[0] * w.shape[1]);
       },
       {"\"node_dense3\" (Gemm)", "inputs"}},
      {"flatten_axis",
       [](auto& m) { set(m, "Flatten", "axis", std::int64_t(2)); },
       {"\"node_flat2_dq\" (Flatten)", "axis"}},
      {"reshape_to_image",
       [](auto& m) {
         const std::vector<std::int64_t> shape = {1, 4, 9};
         m.initializers["shape"] =
             Tensor::of("shape", ElementType::int64, {3}, std::span<const std::int64_t>(shape));
         Node& node = last(m, "Flatten");
         node.op_type = "Reshape";
         node.inputs.push_back("shape");
       },
       {"\"node_flat2_dq\" (Reshape)", "[N, rest]"}},
      {"convolution_on_vector",
       [](auto& m) {
         Node& node = last(m, "Gemm");
         node.op_type = "Conv";
       },
       {"\"node_dense3\" (Conv)", "flat"}},
      {"float_weights",
       [](auto& m) { last(m, "Conv").inputs[1] = "conv0_b"; },
       {"\"node_conv0\" (Conv)", "conv0_b", "quantize"}},
      {"asymmetric_weights",
       [](auto& m) { m.initializers.at("conv0_w_zero").data[0] = std::byte(3); },
       {"\"node_conv0\" (Conv)", "asymmetric"}},
      {"scales_along_inputs",
       [](auto& m) {
         for (Node& n : m.nodes)
           if (n.outputs[0] == "dense3_w") n.attributes["axis"] = std::int64_t(1);
         const std::vector<float> scales(36, 0.01f);
         const std::vector<std::int8_t> zeros(36, 0);
         m.initializers["dense3_w_scale"] = Tensor::of("dense3_w_scale", ElementType::float32, {36},
                                                       std::span<const float>(scales));
         m.initializers["dense3_w_zero"] = Tensor::of("dense3_w_zero", ElementType::int8, {36},
                                                      std::span<const std::int8_t>(zeros));
       },
       {"\"node_dense3\" (Gemm)", "axis"}},
      {"bias_size",
       [](auto& m) {
         Tensor& bias = m.initializers.at("conv0_b");
         bias.shape[0] = 3;
         bias.data.resize(12);
       },
       {"\"node_conv0\" (Conv)", "conv0_b", "4 output channels"}},
      {"unquantized_activation",
       [](auto& m) { last(m, "MaxPool").inputs[0] = "conv0_act"; },
       {"\"node_pool1\" (MaxPool)", "conv0_act"}},
      {"sixteen_bit_activations",
       [](auto& m) {
         m.initializers.at("conv0_act_zero") =
             Tensor{"conv0_act_zero", ElementType::int16, {}, {std::byte(0), std::byte(0)}};
       },
       {"QuantizeLinear", "16-bit"}},
      {"scale_not_a_number",
       [](auto& m) {
         const float nan = std::numeric_limits<float>::quiet_NaN();
         m.initializers.at("conv0_act_scale") =
             Tensor::of("conv0_act_scale", ElementType::float32, {}, std::span(&nan, 1));
       },
       {"QuantizeLinear", "scale"}},
      {"scale_zero",
       [](auto& m) {
         const float zero = 0;
         m.initializers.at("conv0_act_scale") =
             Tensor::of("conv0_act_scale", ElementType::float32, {}, std::span(&zero, 1));
       },
       {"QuantizeLinear", "positive scale"}},
      {"output_scale_absurdly_fine",
       [](auto& m) {
         const float tiny = 1e-12f;
         m.initializers.at("conv0_act_scale") =
             Tensor::of("conv0_act_scale", ElementType::float32, {}, std::span(&tiny, 1));
       },
       {"\"node_conv0\"", "scale"}},
      {"changed_scale",
       [](auto& m) {
         for (Node& n : m.nodes)
           if (n.op_type == "DequantizeLinear" && n.inputs[0] == "conv0_act_q")
             n.inputs[1] = "image_scale";
       },
       {"DequantizeLinear", "differs"}},
      {"clip_limits_swapped",
       [](auto& m) {
         Node& node = last(m, "Relu");
         node.op_type = "Clip";
         node.inputs.insert(node.inputs.end(), {"image_scale", "low"});
         const float low = -1;
         m.initializers["low"] = Tensor::of("low", ElementType::float32, {}, std::span(&low, 1));
       },
       {"\"node_conv0_act\" (Clip)", "limit"}},
      {"add_of_constant",
       [](auto& m) {
         Node& node = last(m, "MaxPool");
         node.op_type = "Add";
         node.inputs.push_back("conv0_b");
       },
       {"\"node_pool1\" (Add)", "conv0_b"}},
      {"add_broadcast",
       [](auto& m) {
         Node& node = last(m, "MaxPool");
         node.op_type = "Add";
         node.inputs.push_back("image_dq");
       },
       {"\"node_pool1\" (Add)", "shapes"}},
      {"softmax_in_the_middle",
       [](auto& m) { last(m, "MaxPool").op_type = "Softmax"; },
       {"\"node_pool1\" (Softmax)", "last layer"}},
      {"two_inputs",
       [](auto& m) {
         m.inputs.push_back({"more", ElementType::float32, {1, 1, 2, 2}});
       },
       {"2 inputs"}},
      {"batch_of_eight", [](auto& m) { m.inputs[0].shape[0] = 8; }, {"\"image\"", "8, 1, 8, 8"}},
      {"symbolic_size", [](auto& m) { m.inputs[0].shape[2] = -1; }, {"\"image\"", "-1"}},
      {"enormous_input",
       [](auto& m) { m.inputs[0].shape[2] = std::int64_t(1) << 40; },
       {"\"image\""}},
      {"input_of_int64", [](auto& m) { m.inputs[0].type = ElementType::int64; }, {"int64"}},
      {"empty_weights",
       [](auto& m) {
         m.initializers.at("conv0_w_q").shape[1] = 0;
         m.initializers.at("conv0_w_q").data.clear();
       },
       {"\"node_conv0\" (Conv)", "empty"}},
      {"two_outputs", [](auto& m) { m.outputs.push_back(m.outputs[0]); }, {"2 outputs"}},
      {"unquantized_output",
       [](auto& m) { m.outputs[0].name = "dense3"; },
       {"\"dense3\"", "not quantized"}},
      {"image_output", [](auto& m) { m.outputs[0].name = "pool1_dq"; }, {"\"pool1_dq\"", "image"}},
      {"no_layer",
       [](auto& m) { m.outputs[0].name = "image_dq", m.nodes.resize(2); },
       {"no layer"}},
  };
  return table;
}

onnx::Model good_model() {
  QdqBuilder b(9, 1, 8, 8);
  const auto pooled = b.max_pool(b.conv(b.input(), plain, "Relu"), 2, 2);
  return b.finish(b.dense(b.flatten(pooled), 3));
}

TEST(Lower, ADamagedModelIsRefusedOrRunnable) {
  std::mt19937 random(13);
  const auto pick = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  };
  const onnx::Model good = good_model();
  std::vector<std::string> names = {"image", ""};
  for (const auto& [name, tensor] : good.initializers)
    names.push_back(name);
  for (const Node& node : good.nodes)
    names.push_back(node.outputs[0]);
  const std::int64_t numbers[] = {-1,
                                  0,
                                  1,
                                  2,
                                  3,
                                  1 << 20,
                                  std::numeric_limits<std::int64_t>::min(),
                                  std::numeric_limits<std::int64_t>::max()};
  int accepted = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    onnx::Model model = good;
    Node& node = model.nodes[pick(model.nodes.size())];
    switch (pick(4)) {
      case 0:
        node.inputs[pick(node.inputs.size())] = names[pick(names.size())];
        break;
      case 1:
        node.inputs.pop_back();
        break;
      case 2: {
        const char* keys[] = {"axis", "group", "strides", "pads", "kernel_shape", "transB"};
        const std::int64_t n = numbers[pick(std::size(numbers))];
        const std::string key = keys[pick(std::size(keys))];
        if (pick(2))
          node.attributes[key] = n;
        else
          node.attributes[key] = Integers(1 + pick(4), n);
        break;
      }
      default: {
        Tensor& tensor =
            std::next(model.initializers.begin(), pick(model.initializers.size()))->second;
        for (std::byte& byte : tensor.data)
          byte = std::byte(pick(256));
      }
    }
    SCOPED_TRACE(trial);
    const auto graph = lower(model);
    if (!graph) continue;
    ++accepted;
    const std::vector<std::int8_t> input(graph->tensors[graph->input].size(), 5);
    EXPECT_EQ(std::int64_t(run_reference(*graph, input).size()),
              graph->tensors[graph->output].size());
  }
  EXPECT_GT(accepted, 100);
}

TEST(Lower, AnInputMayBeInt8Already) {
  onnx::Model model = good_model();
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
  onnx::Model model = good_model();
  const std::int8_t zero = 0;
  model.initializers["dense3_zero"] =
      Tensor::of("dense3_zero", ElementType::int8, {}, std::span(&zero, 1));
  last(model, "DequantizeLinear").inputs.pop_back();
  const auto graph = lower(model);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->tensors[graph->output].zero_point, 0);
}

class Refusals : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Refusals, NameTheNodeAndWhatIsWrong) {
  onnx::Model model = good_model();
  ASSERT_TRUE(lower(model)) << lower(model).error().message;
  const Refusal& refusal = refusals()[GetParam()];
  refusal.change(model);
  const auto graph = lower(model);
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().kind, ErrorKind::bad_input);
  for (const std::string& part : refusal.message)
    EXPECT_THAT(graph.error().message, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(Everything, Refusals, ::testing::Range(std::size_t(0), refusals().size()),
                         [](const auto& index) {
                           return std::string(refusals()[index.param].name);
                         });

}  // namespace
}  // namespace assay
