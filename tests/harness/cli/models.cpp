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
  ConvOptions point;
  point.outputs = channels;
  point.kernel_height = point.kernel_width = 1;
  point.pads = {0, 0, 0, 0};
  const auto image = network.conv(network.input(), point, "Relu");
  return file_of(
      network.finish(network.dense(network.flatten(network.global_average_pool(image)), 10)));
}

}  // namespace assay::test
