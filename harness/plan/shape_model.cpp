#include "harness/plan/shape_model.hpp"

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
#include "compress/methods/quantize_model.hpp"
#include "compress/models/foreign_network.hpp"
#include "compress/models/head.hpp"
#include "compress/models/initial_network.hpp"
#include "compress/onnx/fold_batch_norm.hpp"
#include "targets/graph/lower.hpp"

namespace assay {

Result<onnx::Model> untrained_network(const ModelChoice& choice, const std::string& data) {
  ASSAY_TRY(const auto info, find_dataset(data));
  ASSAY_TRY(const auto spec,
            build_model(choice, info.channels, info.height, info.width, info.outputs));
  return initial_network(spec, std::nullopt, {std::string(info.name), info.normalization});
}

Result<onnx::Model> untrained_model(const ModelChoice& choice, const std::string& data) {
  ASSAY_TRY(const auto network, untrained_network(choice, data));
  return onnx::fold_batch_norm(network);
}

namespace {

Scheme scheme_of(const Config& config) {
  return find_scheme(config.at("quantize.scheme").get<std::string>()).value();
}

/// The network of a scheme, with ranges that nothing was seen in.
Result<IntegerGraph> lower_untrained(const onnx::Model& model, Scheme scheme) {
  QuantizeSettings settings;
  settings.scheme = scheme;
  ASSAY_TRY(const auto observed, activations_to_observe(model, settings));
  Ranges ranges;
  for (const auto& name : observed)
    ranges[name] = {-1, 1};
  ASSAY_TRY(const auto quantized, quantize_model(model, ranges, settings));
  return lower(quantized.model);
}

/// An ONNX file as the training starts from it. What the new head's weights are does not matter.
Result<onnx::Model> file_network(const Config& config, const std::filesystem::path& file) {
  ASSAY_TRY(const auto info, find_dataset(config.at("data").get<std::string>()));
  ASSAY_TRY(onnx::Model model, read_foreign_network(file, info));
  if (config.at("student.head") == "replace") {
    ASSAY_TRY(model, replace_head(model, info.outputs, 0, file.string()));
  }
  return model;
}

Result<Macs> family_macs(const Config& config) {
  ASSAY_TRY(const auto data, find_dataset(config.at("data").get<std::string>()));
  ASSAY_TRY(const auto spec,
            build_model(config.student(), data.channels, data.height, data.width, data.outputs));
  return count_macs(spec);
}

/// Why no kernels are there for a TorchScript file; nothing when they may be.
std::optional<std::string> excluded_from_kernels(const Config& config) {
  const auto file = config.source();
  if (!file || !is_torchscript(*file)) return std::nullopt;
  return fmt::format(
      "student.from: the shapes of {} are not known before it is imported, as those of an ONNX "
      "file "
      "are",
      file->string());
}

}  // namespace

Result<std::optional<onnx::Model>> student_network(const Config& config) {
  const auto file = config.source();
  if (!file) return untrained_network(config.student(), config.at("data").get<std::string>());
  if (is_torchscript(*file)) return std::nullopt;
  return file_network(config, *file);
}

Result<std::optional<onnx::Model>> student_model(const Config& config) {
  ASSAY_TRY(const auto network, student_network(config));
  if (!network) return std::nullopt;
  return onnx::fold_batch_norm(*network);
}

Result<IntegerGraph> untrained_graph(const Config& config) {
  ASSAY_TRY(const auto model, student_model(config));
  if (!model)
    return fail(ErrorKind::bad_input,
                fmt::format("the shapes of {} are not known before it is imported",
                            config.source()->string()));
  return lower_untrained(*model, scheme_of(config));
}

Result<StudentShape> student_shape(const Config& config) {
  StudentShape shape;
  const auto file = config.source();
  if (!file) {
    ASSAY_TRY(shape.macs, family_macs(config));
  }
  if (const auto why = excluded_from_kernels(config)) shape.missing_kernel = *why;
  if (!file && !shape.missing_kernel.empty()) return shape;
  ASSAY_TRY(const auto model, student_model(config));
  if (!model) return shape;
  const auto graph = lower_untrained(*model, scheme_of(config));
  if (!graph && shape.missing_kernel.empty()) shape.missing_kernel = graph.error().message;
  if (!file || !graph) return shape;
  shape.macs = Macs(0);
  for (const IntegerLayer& layer : graph->layers)
    shape.macs = *shape.macs + layer.macs;
  return shape;
}

Result<std::optional<double>> reference_model_bytes(const Config& config) {
  const auto bytes = [](const onnx::Model& model) {
    return static_cast<double>(onnx::serialize_model(model).size());
  };
  if (config.source()) {
    ASSAY_TRY(const auto model, student_model(config));
    return model ? std::optional(bytes(*model)) : std::nullopt;
  }
  ASSAY_TRY(const auto model,
            untrained_model({config.student().family, 0, 0}, config.at("data").get<std::string>()));
  return bytes(model);
}

}  // namespace assay
