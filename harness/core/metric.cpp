#include "harness/core/metric.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace assay {
namespace {

constexpr std::array kinds{
    MetricKind{"accuracy_top1", "%", "Accuracy", "share of the test images classified correctly",
               true, 2},
    MetricKind{"accuracy_top1_float", "%", "Float accuracy",
               "the same network's accuracy before quantization", true, 2},
    MetricKind{"accuracy_top1_validation", "%", "Validation accuracy",
               "accuracy on the validation images, which selections use", true, 2},
    MetricKind{"error_mean", "", "Mean error",
               "mean distance of the outputs from the targets of the test images, in the targets' "
               "own unit",
               false, 4},
    MetricKind{"error_mean_float", "", "Float error",
               "the same network's mean error before quantization", false, 4},
    MetricKind{"error_mean_validation", "", "Validation error",
               "mean error on the validation images", false, 4},
    MetricKind{"samples_confirmed", "", "Confirmed",
               "test images streamed through the board with every logit identical to the host's",
               true, 0},
    MetricKind{"rom_bytes", "B", "Flash", "bytes programmed into flash: weights, code and runtime",
               false, 0},
    MetricKind{"rom_weights_bytes", "B", "Flash: weights", "packed constants of the model", false,
               0},
    MetricKind{"rom_code_bytes", "B", "Flash: code", "kernels and generated model code", false, 0},
    MetricKind{"rom_runtime_bytes", "B", "Flash: runtime",
               "start-up, drivers and the wire protocol", false, 0},
    MetricKind{"ram_bytes", "B", "RAM",
               "what was flashed: arena, deepest stack use, and the harness's static data", false,
               0},
    MetricKind{"ram_model_bytes", "B", "RAM: model",
               "what the network needs in a firmware of one's own: arena and deepest stack use",
               false, 0},
    MetricKind{"ram_arena_bytes", "B", "RAM: arena", "activations and scratch of the model", false,
               0},
    MetricKind{"ram_stack_bytes", "B", "RAM: stack", "deepest stack use, from the painted stack",
               false, 0},
    MetricKind{"ram_static_bytes", "B", "RAM: harness",
               "buffers of the link, the receive ring and drivers' variables", false, 0},
    MetricKind{"rss_peak_bytes", "B", "RSS", "most memory the program had resident under Linux",
               false, 0},
    MetricKind{"macc", "", "MACC", "multiply-accumulate operations of one inference", false, 0},
    MetricKind{"instructions", "", "Instructions", "executed instructions of one inference", false,
               0},
    MetricKind{"cycles", "", "Cycles", "core cycles of one inference", false, 0},
    MetricKind{"latency_us", "us", "Latency", "time of one inference at the board's clock", false,
               1},
    MetricKind{"energy_uj", "uJ", "Energy", "supply voltage x run current x time of one inference",
               false, 2},
    MetricKind{"model_bytes", "B", "Model file", "bytes of the ONNX file", false, 0},
    MetricKind{"model_gzip_bytes", "B", "Model file, gzip", "the ONNX file after gzip -9", false,
               0},
    MetricKind{"model_entropy_bytes", "B", "Entropy-coded",
               "the model's constants after Deep Compression's relative indices and Huffman codes "
               "(Han et al. 2016), codebooks and code tables included",
               false, 0},
    MetricKind{
        "weight_bytes", "B", "Weights",
        "the model's constants packed as their values allow: int8 weights within [-1, 1] at 2 "
        "bits, within [-7, 7] at 4, clustered ones as indices with their codebook; biases, "
        "scales and zero points as stored",
        false, 0},
    MetricKind{"parameters", "", "Parameters", "weights and biases of the final model", false, 0},
    MetricKind{"zeros_pct", "%", "Zeros", "share of the weights that are zero", true, 1},
    MetricKind{"clusters", "", "Clusters",
               "the most distinct values that the weights of one layer have as they are stored, "
               "zero included; of layers that were not clustered too, and only up to 256",
               false, 0},
    MetricKind{"compression_ratio", "x", "Ratio",
               "bytes of the float32 ONNX file of the family's whole network, without cuts and at "
               "full width, over the bytes of this model's ONNX file",
               true, 2},
    MetricKind{"train_seconds", "s", "Training", "processor time spent on this model's training",
               false, 1},
};

}  // namespace

std::string_view to_string(Provenance provenance) {
  constexpr std::array words{"measured", "modelled", "counted", "computed"};
  return words[static_cast<std::size_t>(provenance)];
}

Result<Provenance> parse_provenance(std::string_view word) {
  for (auto candidate :
       {Provenance::measured, Provenance::modelled, Provenance::counted, Provenance::computed})
    if (to_string(candidate) == word) return candidate;
  return fail(ErrorKind::bad_input,
              fmt::format("unknown provenance \"{}\": expected measured, modelled, counted or "
                          "computed",
                          word));
}

std::span<const MetricKind> metric_kinds() {
  return kinds;
}

const MetricKind* find_metric_kind(std::string_view name) {
  const auto found = std::ranges::find(kinds, name, &MetricKind::name);
  return found == kinds.end() ? nullptr : &*found;
}

Json to_json(const Metric& metric) {
  Json json{
      {"value", metric.value}, {"unit", metric.unit}, {"provenance", to_string(metric.provenance)}};
  if (!metric.samples.empty()) json["samples"] = metric.samples;
  return json;
}

Json to_json(const Metrics& metrics) {
  Json json = Json::object();
  for (const auto& [name, metric] : metrics)
    json[name] = to_json(metric);
  return json;
}

Result<Metrics> parse_metrics(const Json& json, const std::string& source) {
  if (!json.is_object())
    return fail(ErrorKind::bad_input,
                fmt::format("{}: expected an object of metrics, found {}", source, describe(json)));
  Metrics metrics;
  JsonErrors errors(source);
  for (auto it = json.begin(); it != json.end(); ++it) {
    JsonObject object(*it, it.key(), errors);
    Metric& metric = metrics[it.key()];
    metric.value = object.required<double>("value");
    metric.unit = object.required<std::string>("unit");
    const auto word = object.choice("provenance", {"measured", "modelled", "counted", "computed"});
    if (const auto provenance = parse_provenance(word)) metric.provenance = *provenance;
    metric.samples = object.list<double>("samples");
  }
  ASSAY_CHECK(errors.status());
  return metrics;
}

}  // namespace assay
