#include "harness/plan/network_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compress/data/dataset.hpp"
#include "compress/methods/quantize_model.hpp"
#include "compress/models/head.hpp"
#include "compress/onnx/fold_batch_norm.hpp"
#include "compress/train/trainable.hpp"
#include "harness/plan/shape_model.hpp"
#include "harness/plan/worker_stages.hpp"

namespace assay {
namespace {

/// The same status, its error behind the configuration and the section that it comes from.
Status in_section(const Config& config, const char* section, Status status) {
  if (status) return status;
  return fail(status.error().kind,
              fmt::format("{}: {}: {}", config.label(), section, status.error().message));
}

/// Of each layer with weights, whether training leaves it as it is.
Result<std::vector<bool>> frozen_layers(const TrainStage& work, const onnx::Model& network,
                                        const std::string& source) {
  ASSAY_TRY(const auto weighted, weighted_layers(network));
  std::vector<bool> frozen(weighted.size());
  const auto* start = std::get_if<TransferStart>(&work.start);
  if (!start) return frozen;
  std::vector<std::string> names;
  for (const WeightedLayer& layer : weighted)
    names.push_back(layer.name);
  ASSAY_TRY(const auto positions, layers_to_freeze(*start, network, names, source));
  for (const std::size_t position : positions)
    frozen[position] = true;
  return frozen;
}

/// What a network puts out for one image, where that is known without computing it.
std::optional<std::vector<std::int64_t>> output_shape(const onnx::Model& network,
                                                      const std::string& source) {
  const auto head = find_head(network, source);
  for (const onnx::Node& node : network.nodes)
    if (head && node.name == *head && node.op_type == "Gemm")
      return std::vector{network.initializer(node.inputs[1])->shape[0]};
  const auto& declared = network.outputs[0].shape;
  if (declared.size() < 2 || std::ranges::any_of(declared.begin() + 1, declared.end(),
                                                 [](std::int64_t extent) { return extent < 0; }))
    return std::nullopt;
  return std::vector(declared.begin() + 1, declared.end());
}

/// A network from a file.
Status check_source(const Config& config, const onnx::Model& network) {
  const std::string source = config.source()->string();
  ASSAY_CHECK(in_section(config, "student.from", check_trainable(network, source)));
  ASSAY_TRY(const auto data, find_dataset(config.at("data").get<std::string>()));
  const auto outputs = output_shape(network, source);
  return outputs ? in_section(config, "student.head", check_outputs(*outputs, data, source))
                 : Status();
}

Status check_noise(const NoiseSettings& settings, const std::vector<bool>& frozen,
                   const onnx::Model& network) {
  ASSAY_TRY(const auto layers, weighted_layers(network));
  ASSAY_CHECK(choose_noisy_layers(layers, frozen, settings));
  return {};
}

Status check_clustering(const ClusterStage& work, const onnx::Model& network) {
  ASSAY_TRY(const auto layers, weighted_layers(network));
  ASSAY_CHECK(clusterable_layers(layers, work.settings));
  return {};
}

/// Clustered layers whose centroids are integers stay as they are: narrower ones are not made.
Status check_widths(const QuantizeSettings& settings, const ClusterStage& clustering,
                    const onnx::Model& network) {
  if (!settings.quantizes_weights() || clustering.settings.scale != ClusterSettings::Scale::channel)
    return {};
  ASSAY_TRY(const auto layers, weighted_layers(network));
  ASSAY_TRY(const auto clustered, clusterable_layers(layers, clustering.settings));
  bool narrow = false;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (settings.bits_of(layers[i].name) == 8) continue;
    if (!std::ranges::binary_search(clustered, i)) return {};
    narrow = true;
  }
  if (!narrow) return {};
  return fail(ErrorKind::bad_input,
              "weights of 4 or 2 bits are asked for only of clustered layers, whose centroids are "
              "integers of 8 bits already: use cluster.scale \"none\"");
}

/// The shapes of what the nodes of a family's network put out for one image, by the node's name.
Result<std::map<std::string, std::vector<std::int64_t>>> feature_shapes(const ModelSpec& spec) {
  ASSAY_TRY(const auto shapes, infer_shapes(spec));
  std::map<std::string, std::vector<std::int64_t>> features;
  std::vector<bool> flat;
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const LayerSpec& layer = spec.layers[i];
    const int from = layer.inputs[0];
    flat.push_back(layer.op == LayerOp::flatten || layer.op == LayerOp::dense ||
                   (from >= 0 && flat[std::size_t(from)]));
    std::vector<std::int64_t>& feature = features[layer.name];
    feature = {shapes[i].channels};
    if (!flat.back()) feature.insert(feature.end(), {shapes[i].height, shapes[i].width});
    if (layer.batch_norm) features[layer.name + ".norm"] = feature;
  }
  return features;
}

/// A network that hints are taken from or given to.
struct HintedNetwork {
  const onnx::Model& model;
  std::string source;
  std::optional<ModelSpec> spec;  ///< of a family's
};

/// The shape stays empty where it is not known.
Result<HintFeature> feature_of(const HintedNetwork& network, const std::string& layer) {
  HintFeature feature;
  ASSAY_TRY(feature.tensor, output_of(network.model, layer, network.source));
  if (!network.spec) return feature;
  ASSAY_TRY(const auto shapes, feature_shapes(*network.spec));
  feature.shape = shapes.at(layer);
  return feature;
}

Result<ModelSpec> spec_of(const ModelChoice& choice, const DatasetInfo& data) {
  return build_model(choice, data.channels, data.height, data.width, data.outputs);
}

Status check_hints(const Config& config, const DistillSettings& settings,
                   const onnx::Model& network) {
  const auto data = config.at("data").get<std::string>();
  ASSAY_TRY(const auto info, find_dataset(data));
  HintedNetwork student{network, "the student", {}};
  if (!config.source()) {
    ASSAY_TRY(student.spec, spec_of(config.student(), info));
  }
  const ModelChoice choice = config.teacher().student();
  ASSAY_TRY(const auto teacher_model, untrained_network(choice, data));
  HintedNetwork teacher{teacher_model, "the teacher", {}};
  ASSAY_TRY(teacher.spec, spec_of(choice, info));
  for (const auto& [student_layer, teacher_layer] : settings.hints) {
    ASSAY_TRY(const HintFeature from, feature_of(student, student_layer));
    ASSAY_TRY(const HintFeature to, feature_of(teacher, teacher_layer));
    if (!from.shape.empty()) ASSAY_CHECK(check_hint(from, to));
  }
  return {};
}

/// What a configuration says of layers, and of which network.
std::string key_of(const Config& config) {
  const Json json = config.json();
  Json key{config.at("data"), json.at("student")};
  for (const char* section : {"teacher", "noise", "prune", "cluster", "quantize"})
    key.push_back(json.value(section, Json()));
  key.push_back(json.value("distill", Json::object()).value("hints", Json()));
  return key.dump();
}

Status check_training(const Config& config, const onnx::Model& network) {
  ASSAY_TRY(const TrainStage work, train_work(config));
  if (config.source()) ASSAY_CHECK(check_source(config, network));
  const auto frozen = frozen_layers(work, network, config.source().value_or("").string());
  if (!frozen) return in_section(config, "student.freeze", tl::unexpected(frozen.error()));
  if (work.noise)
    ASSAY_CHECK(in_section(config, "noise", check_noise(*work.noise, *frozen, network)));
  if (work.learning.distill && !work.learning.distill->hints.empty())
    ASSAY_CHECK(
        in_section(config, "distill.hints", check_hints(config, *work.learning.distill, network)));
  return {};
}

Status check_compression(const Config& config, const onnx::Model& network) {
  // As the later stages see it.
  ASSAY_TRY(const onnx::Model model, onnx::fold_batch_norm(network));
  ASSAY_TRY(const QuantizeStage quantization, quantize_work(config));
  if (config.has("prune")) {
    ASSAY_TRY(const PruneStage work, prune_work(config));
    ASSAY_CHECK(in_section(config, "prune", check_pruning(network, work.settings)));
  }
  if (config.has("cluster")) {
    ASSAY_TRY(const ClusterStage work, cluster_work(config));
    ASSAY_CHECK(in_section(config, "cluster", check_clustering(work, model)));
    ASSAY_CHECK(in_section(config, "quantize", check_widths(quantization.settings, work, model)));
  }
  return in_section(config, "quantize", check_quantization(model, quantization.settings));
}

}  // namespace

Status NetworkChecks::check(const Config& config) {
  const std::string key = key_of(config);
  if (passed_.contains(key)) return {};
  ASSAY_TRY(const onnx::Model* network, student(config));
  if (network) {
    ASSAY_CHECK(check_training(config, *network));
    ASSAY_CHECK(check_compression(config, *network));
  }
  passed_.insert(key);
  return {};
}

Result<const onnx::Model*> NetworkChecks::student(const Config& config) {
  const std::string key = Json{config.at("data"), config.json().at("student")}.dump();
  if (key != student_key_) {
    ASSAY_TRY(student_, student_network(config));
    student_key_ = key;
  }
  return student_ ? &*student_ : nullptr;
}

}  // namespace assay
