#include "tests/compress/onnx/sample_model.hpp"

#include <numeric>

namespace assay::onnx {
namespace {

template <class T>
void constant(Model& model, const std::string& name, ElementType type,
              std::vector<std::int64_t> shape, std::vector<T> values) {
  model.initializers[name] = Tensor::of<T>(name, type, std::move(shape), values);
}

Node node(std::string op_type, std::vector<std::string> inputs, std::string output,
          std::map<std::string, Attribute> attributes = {}, std::string domain = "") {
  Node made;
  made.name = output + "_node";
  made.op_type = std::move(op_type);
  made.domain = std::move(domain);
  made.inputs = std::move(inputs);
  made.outputs = {std::move(output)};
  made.attributes = std::move(attributes);
  return made;
}

void add_constants(Model& model) {
  std::vector<std::int8_t> weights(2 * 1 * 3 * 3);
  std::iota(weights.begin(), weights.end(), std::int8_t{-9});
  constant(model, "weights", ElementType::int8, {2, 1, 3, 3}, weights);
  constant<float>(model, "weights_scale", ElementType::float32, {2}, {0.5f, 0.25f});
  constant<std::int8_t>(model, "weights_zero", ElementType::int8, {2}, {0, 0});
  constant<std::int32_t>(model, "bias", ElementType::int32, {2}, {-70000, 70000});
  constant<float>(model, "bias_scale", ElementType::float32, {2}, {0.01f, 0.005f});
  constant<float>(model, "input_scale", ElementType::float32, {}, {0.02f});
  constant<std::int8_t>(model, "input_zero", ElementType::int8, {}, {-128});
  constant<std::int64_t>(model, "shape", ElementType::int64, {2}, {-1, 32});
  // Read by no node: one of each remaining element type, at its limits, and an empty one.
  constant<std::uint8_t>(model, "bytes", ElementType::uint8, {3}, {0, 128, 255});
  constant<std::int16_t>(model, "words", ElementType::int16, {2}, {-32768, 32767});
  constant<std::uint16_t>(model, "halves", ElementType::float16, {2}, {0x3c00, 0xfbff});
  constant<float>(model, "nothing", ElementType::float32, {0, 4}, {});
}

}  // namespace

Model sample_model() {
  Model model;
  model.graph_name = "sample";
  model.inputs = {{"input", ElementType::float32, {-1, 1, 4, 4}}};
  model.outputs = {{"logits", ElementType::float32, {-1, 32}}};
  model.metadata = {{"assay.mean", "0.5"}, {"assay.dataset", "fashion-mnist"}};
  add_constants(model);
  const std::int64_t first_axis = 0;
  model.nodes = {
      node("QuantizeLinear", {"input", "input_scale", "input_zero"}, "input_q"),
      node("DequantizeLinear", {"input_q", "input_scale", "input_zero"}, "input_dq"),
      node("DequantizeLinear", {"weights", "weights_scale", "weights_zero"}, "weights_dq",
           {{"axis", first_axis}}),
      node("DequantizeLinear", {"bias", "bias_scale", ""}, "bias_dq", {{"axis", first_axis}}),
      node("Conv", {"input_dq", "weights_dq", "bias_dq"}, "conv",
           {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}},
            {"kernel_shape", std::vector<std::int64_t>{3, 3}},
            {"auto_pad", std::string("NOTSET")}}),
      node("LeakyRelu", {"conv"}, "relu", {{"alpha", 0.125f}}),
      node("Reshape", {"relu", "shape"}, "flat"),
      node("Blend", {"flat"}, "logits",
           {{"curve", std::vector<float>{0.0f, 0.5f, 1.0f}},
            {"table", Tensor::of<std::int8_t>("table", ElementType::int8, {2},
                                              std::vector<std::int8_t>{-1, 1})}},
           "test.domain"),
  };
  return model;
}

}  // namespace assay::onnx
