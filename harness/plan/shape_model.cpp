#include "harness/plan/shape_model.hpp"

#include "compress/data/dataset.hpp"
#include "compress/methods/quantize_model.hpp"
#include "compress/models/initial_network.hpp"
#include "compress/onnx/fold_batch_norm.hpp"
#include "targets/graph/lower.hpp"

namespace assay {

Result<onnx::Model> untrained_model(const ModelChoice& choice, const std::string& data) {
  ASSAY_TRY(const auto info, find_dataset(data));
  ASSAY_TRY(const auto spec,
            build_model(choice, info.channels, info.height, info.width, info.outputs));
  ASSAY_TRY(const auto network,
            initial_network(spec, std::nullopt, {std::string(info.name), info.normalization}));
  return onnx::fold_batch_norm(network);
}

namespace {

/// The int8 network with ranges that nothing was seen in.
Result<IntegerGraph> lower_untrained(const onnx::Model& model) {
  ASSAY_TRY(const auto observed, activations_to_observe(model));
  Ranges ranges;
  for (const auto& name : observed)
    ranges[name] = {-1, 1};
  ASSAY_TRY(const auto quantized, quantize_model(model, ranges));
  return lower(quantized.model);
}

}  // namespace

Result<IntegerGraph> untrained_graph(const Config& config) {
  ASSAY_TRY(const auto model,
            untrained_model(config.student(), config.at("data").get<std::string>()));
  return lower_untrained(model);
}

Result<bool> has_integer_kernels(const Config& config) {
  if (config.at("quantize.scheme") != "int8") return false;
  ASSAY_TRY(const auto model,
            untrained_model(config.student(), config.at("data").get<std::string>()));
  return lower_untrained(model).has_value();
}

Result<double> reference_model_bytes(const Config& config) {
  ASSAY_TRY(const auto model,
            untrained_model({config.student().family, 0, 0}, config.at("data").get<std::string>()));
  return static_cast<double>(onnx::serialize_model(model).size());
}

}  // namespace assay
