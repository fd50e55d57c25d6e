// What lowering does not accept: one refusal for everything, and models damaged at random.
#include <gmock/gmock.h>

#include <functional>

#include "targets/graph/lower.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay {
namespace {

using onnx::ElementType;
using onnx::Node;
using onnx::Tensor;
using test::last_node;
using test::QdqBuilder;
using test::small_classifier;
using ::testing::HasSubstr;

/// One thing changed in a good model, and what the refusal must name.
struct Refusal {
  const char* name;
  std::function<void(onnx::Model&)> change;
  std::vector<std::string> message;
};

template <class T>
void set(onnx::Model& model, const std::string& op, const std::string& key, T value) {
  last_node(model, op).attributes[key] = value;
}

using Integers = std::vector<std::int64_t>;

const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> table = {
      {"unknown_operator",
       [](auto& m) { last_node(m, "Relu").op_type = "LSTM"; },
       {"\"node_conv0_act\" (LSTM)", "not supported", "AveragePool", "Conv"}},
      {"foreign_domain",
       [](auto& m) { last_node(m, "Conv").domain = "com.microsoft"; },
       {"(Conv)", "com.microsoft"}},
      {"nothing_quantized",
       [](auto& m) {
         std::erase_if(m.nodes, [](const Node& n) { return n.op_type.ends_with("Linear"); });
       },
       {"\"node_conv0\" (Conv)", "is not the network's input or a layer's output"}},
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
       [](auto& m) { last_node(m, "MaxPool").outputs.push_back("where"); },
       {"\"node_pool1\" (MaxPool)", "Indices"}},
      {"average_leaves_out_padding",
       [](auto& m) {
         last_node(m, "MaxPool").op_type = "AveragePool";
         set(m, "AveragePool", "pads", Integers{1, 1, 1, 1});
       },
       {"\"node_pool1\" (AveragePool)", "count_include_pad"}},
      {"gemm_alpha",
       [](auto& m) { set(m, "Gemm", "alpha", 2.0f); },
       {"\"node_dense3\" (Gemm)", "alpha"}},
      {"dense_on_image",
       [](auto& m) { last_node(m, "Gemm").inputs[0] = "pool1_dq"; },
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
         Node& node = last_node(m, "Flatten");
         node.op_type = "Reshape";
         node.inputs.push_back("shape");
       },
       {"\"node_flat2_dq\" (Reshape)", "[N, rest]"}},
      {"convolution_on_vector",
       [](auto& m) {
         Node& node = last_node(m, "Gemm");
         node.op_type = "Conv";
       },
       {"\"node_dense3\" (Conv)", "flat"}},
      {"float_weights",
       [](auto& m) { last_node(m, "Conv").inputs[1] = "conv0_b"; },
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
       [](auto& m) { last_node(m, "MaxPool").inputs[0] = "conv0_act"; },
       {"\"node_pool1\" (MaxPool)", "conv0_act"}},
      {"two_widths_of_activations",
       [](auto& m) {
         m.initializers.at("conv0_act_zero") =
             Tensor{"conv0_act_zero", ElementType::int16, {}, {std::byte(0), std::byte(0)}};
       },
       {"QuantizeLinear", "makes int16 activations, the network's input is int8"}},
      {"int16_around_another_zero_point",
       [](auto& m) {
         m.initializers.at("image_zero") =
             Tensor{"image_zero", ElementType::int16, {}, {std::byte(1), std::byte(0)}};
       },
       {"QuantizeLinear", "its zero point is 1; int16 activations have the zero point 0"}},
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
         Node& node = last_node(m, "Relu");
         node.op_type = "Clip";
         node.inputs.insert(node.inputs.end(), {"image_scale", "low"});
         const float low = -1;
         m.initializers["low"] = Tensor::of("low", ElementType::float32, {}, std::span(&low, 1));
       },
       {"\"node_conv0_act\" (Clip)", "limit"}},
      {"add_of_constant",
       [](auto& m) {
         Node& node = last_node(m, "MaxPool");
         node.op_type = "Add";
         node.inputs.push_back("conv0_b");
       },
       {"\"node_pool1\" (Add)", "conv0_b"}},
      {"add_broadcast",
       [](auto& m) {
         Node& node = last_node(m, "MaxPool");
         node.op_type = "Add";
         node.inputs.push_back("image_dq");
       },
       {"\"node_pool1\" (Add)", "shapes"}},
      {"softmax_in_the_middle",
       [](auto& m) { last_node(m, "MaxPool").op_type = "Softmax"; },
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

TEST(Refusal, ADamagedModelIsRefusedOrRunnable) {
  std::mt19937 random(13);
  const auto pick = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  };
  const onnx::Model good = small_classifier();
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

class Refusals : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Refusals, NameTheNodeAndWhatIsWrong) {
  onnx::Model model = small_classifier();
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
