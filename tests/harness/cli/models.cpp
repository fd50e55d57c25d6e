#include "tests/harness/cli/models.hpp"

#include "compress/onnx/model.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay::test {
namespace {

QdqBuilder image_network(onnx::ElementType activations = onnx::ElementType::int8) {
  return QdqBuilder(1, 1, 28, 28, activations);
}

std::string file_of(onnx::Model model) {
  model.metadata["assay.dataset"] = "fashion-mnist";
  model.metadata["assay.mean"] = "0.286";
  model.metadata["assay.deviation"] = "0.353";
  return onnx::serialize_model(model);
}

ConvOptions strided(int outputs) {
  ConvOptions options;
  options.outputs = outputs;
  options.stride = 2;
  return options;
}

ConvOptions pointwise(int outputs) {
  ConvOptions options;
  options.outputs = outputs;
  options.kernel_height = options.kernel_width = 1;
  options.pads = {0, 0, 0, 0};
  return options;
}

/// Ten classes of what is left of the image.
std::string classify(QdqBuilder& network, const std::string& image) {
  return file_of(
      network.finish(network.dense(network.flatten(network.global_average_pool(image)), 10)));
}

onnx::Model small_network(onnx::ElementType activations = onnx::ElementType::int8) {
  auto network = image_network(activations);
  const auto first = network.conv(network.input(), strided(4), "Relu");
  const auto second = network.conv(first, strided(8), "Relu");
  return network.finish(network.dense(network.flatten(second), 10));
}

}  // namespace

std::string small_model() {
  return file_of(small_network());
}

std::string small_int16_model() {
  return file_of(small_network(onnx::ElementType::int16));
}

std::string small_float_model(FloatForm form) {
  return file_of(in_float(small_network(), form));
}

std::string wide_model(int outputs) {
  auto network = image_network();
  const auto wide = network.dense(network.flatten(network.input()), outputs, false, "Relu");
  return file_of(network.finish(network.dense(wide, 10)));
}

std::string deep_image_model(int channels) {
  auto network = image_network();
  return classify(network, network.conv(network.input(), pointwise(channels), "Relu"));
}

std::string two_deep_layers_model(int channels) {
  auto network = image_network();
  const auto deep = network.conv(network.input(), pointwise(channels), "Relu");
  ConvOptions each;
  each.outputs = channels;
  each.depthwise = true;
  return classify(network, network.conv(deep, each, "Relu"));
}

std::string narrowing_model(int channels) {
  auto network = image_network();
  const auto deep = network.conv(network.input(), pointwise(channels), "Relu");
  return classify(network, network.conv(deep, strided(8), "Relu"));
}

std::string large_image_model(int size) {
  QdqBuilder network(1, 1, size, size);
  const auto image = network.conv(network.input(), strided(4), "Relu");
  const auto small = network.max_pool(image, 8, 8);
  return file_of(network.finish(network.dense(network.flatten(small), 10)));
}

}  // namespace assay::test
