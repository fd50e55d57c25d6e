#include "compress/methods/quant_noise.hpp"

#include <fmt/format.h>

#include "compress/methods/settings.hpp"

namespace assay {
namespace {

using Kind = NoiseSettings::Kind;

constexpr Words<Kind, 3> kinds{{
    {Kind::int8, "int8"},
    {Kind::int4, "int4"},
    {Kind::product, "product"},
}};

constexpr double usual_product_p = 0.1;

}  // namespace

Json to_json(const NoiseSettings& settings) {
  Json json = to_json(settings.layers);
  json["kind"] = word_of(kinds, settings.kind);
  json["p"] = settings.p;
  json["block"] = settings.block;
  json["refresh"] = settings.refresh;
  if (settings.kind != Kind::product) return json;
  json["centroids"] = settings.product.centroids;
  json["iterations"] = settings.product.iterations;
  return json;
}

NoiseSettings read_noise_settings(JsonObject& object) {
  NoiseSettings settings;
  settings.kind = read_word(object, "kind", kinds, settings.kind);
  settings.p =
      read_fraction(object, "p", settings.kind == Kind::product ? usual_product_p : settings.p);
  if (settings.p == 0) object.problem("p", "expected above 0: nothing would be quantized");
  settings.refresh = read_count(object, "refresh", settings.refresh, 1'000'000);
  settings.product = read_product_quantization(object);
  settings.block = settings.product.block;
  settings.layers = read_layer_policy(object);
  return settings;
}

Result<NoisyLayers> choose_noisy_layers(std::span<const WeightedLayer> layers,
                                        const std::vector<bool>& frozen,
                                        const NoiseSettings& settings) {
  ASSAY_TRY(const auto selected, select_layers(layers, settings.layers));
  NoisyLayers noisy;
  for (const std::size_t index : selected) {
    const WeightedLayer& layer = layers[index];
    const std::int64_t row = layer.weight_count() / layer.shape[0];
    if (frozen[index])
      noisy.left_out[layer.name] = "it is frozen";
    else if (settings.kind == NoiseSettings::Kind::product && row % settings.block != 0)
      noisy.left_out[layer.name] =
          fmt::format("its rows of {} weights are not whole blocks of {}", row, settings.block);
    else
      noisy.chosen.push_back(index);
  }
  if (!noisy.chosen.empty()) return noisy;
  const auto& [name, reason] = *noisy.left_out.begin();
  return fail(
      ErrorKind::bad_input,
      fmt::format("none of the chosen layers can have noise, '{}' because {}", name, reason));
}

}  // namespace assay
