#include "harness/plan/shape_model.hpp"

#include "compress/data/dataset.hpp"
#include "compress/train/export.hpp"
#include "compress/train/quantize_model.hpp"
#include "targets/graph/lower.hpp"

namespace assay {
namespace {

/// Weights and biases of zero for every layer that has them.
std::vector<LayerParameters> zero_parameters(const ModelSpec& spec,
                                             const std::vector<LayerShape>& shapes) {
  std::vector<LayerParameters> parameters(spec.layers.size());
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const auto& layer = spec.layers[i];
    const int from = layer.inputs.empty() ? -1 : layer.inputs[0];
    const LayerShape in = from < 0 ? LayerShape{spec.channels, spec.height, spec.width}
                                   : shapes[static_cast<std::size_t>(from)];
    auto& shape = parameters[i].shape;
    if (layer.op == LayerOp::convolution)
      shape = {layer.out_channels, in.channels, layer.kernel, layer.kernel};
    else if (layer.op == LayerOp::depthwise)
      shape = {in.channels, 1, layer.kernel, layer.kernel};
    else if (layer.op == LayerOp::dense)
      shape = {layer.out_channels, in.channels * in.height * in.width};
    else
      continue;
    std::int64_t count = 1;
    for (auto extent : shape)
      count *= extent;
    parameters[i].weights.assign(static_cast<std::size_t>(count), 0);
    parameters[i].bias.assign(static_cast<std::size_t>(shape[0]), 0);
  }
  return parameters;
}

}  // namespace

Result<onnx::Model> untrained_model(const ModelChoice& choice, const std::string& data) {
  ASSAY_TRY(const auto info, find_dataset(data));
  ASSAY_TRY(const auto spec,
            build_model(choice, info.channels, info.height, info.width, info.classes));
  ASSAY_TRY(const auto shapes, infer_shapes(spec));
  return export_float(spec, zero_parameters(spec, shapes),
                      {std::string(info.name), info.normalization});
}

Result<IntegerGraph> untrained_graph(const Config& config) {
  ASSAY_TRY(const auto model,
            untrained_model(config.student(), config.at("data").get<std::string>()));
  ASSAY_TRY(const auto observed, activations_to_observe(model));
  Ranges ranges;
  for (const auto& name : observed)
    ranges[name] = {-1, 1};
  ASSAY_TRY(const auto quantized, quantize_model(model, ranges));
  return lower(quantized.model);
}

Result<double> reference_model_bytes(const Config& config) {
  ASSAY_TRY(const auto model,
            untrained_model({config.student().family, 0, 0}, config.at("data").get<std::string>()));
  return static_cast<double>(onnx::serialize_model(model).size());
}

}  // namespace assay
