#include "compress/methods/quantize_settings.hpp"

#include "compress/methods/settings.hpp"

namespace assay {
namespace {

constexpr Words<Scheme, 5> schemes{{
    {Scheme::none, "none"},
    {Scheme::int8, "int8"},
    {Scheme::dynamic, "dynamic"},
    {Scheme::float16, "float16"},
    {Scheme::int16_activations, "int8w-int16a"},
}};

constexpr Words<Observer, 4> observers{{
    {Observer::min_max, "min-max"},
    {Observer::moving_average, "moving-average"},
    {Observer::percentile, "percentile"},
    {Observer::mse, "mse"},
}};

constexpr Words<WeightObserver, 4> weight_observers{{
    {WeightObserver::automatic, "auto"},
    {WeightObserver::min_max, "min-max"},
    {WeightObserver::percentile, "percentile"},
    {WeightObserver::mse, "mse"},
}};

constexpr Words<WeightScales, 2> scale_words{{
    {WeightScales::channel, "channel"},
    {WeightScales::tensor, "tensor"},
}};

constexpr Words<QuantizationTraining, 3> training_words{{
    {QuantizationTraining::none, "none"},
    {QuantizationTraining::observed, "observed"},
    {QuantizationTraining::learned, "learned"},
}};

int read_bits(JsonObject& object, const std::string& key, int fallback) {
  const int bits = object.optional<int>(key, fallback);
  if (is_weight_width(bits)) return bits;
  object.problem(key, fmt::format("expected 8, 4 or 2, found {}", bits));
  return fallback;
}

std::map<std::string, int> read_layer_bits(JsonObject& object) {
  std::map<std::string, int> widths;
  if (!object.has("layer_bits")) return widths;
  JsonObject layers = object.object("layer_bits");
  const Json& names = object.raw("layer_bits");
  if (!names.is_object()) return widths;
  for (const auto& [name, unread] : names.items())
    widths[name] = read_bits(layers, name, 8);
  return widths;
}

void refuse_widths_without_integers(JsonObject& object, const QuantizeSettings& settings) {
  if (settings.quantizes_weights()) return;
  const auto refuse = [&](const char* key) {
    object.problem(key, fmt::format("scheme {} has no integer weights whose width could be chosen",
                                    to_string(settings.scheme)));
  };
  if (settings.weight_bits != 8) refuse("weight_bits");
  if (!settings.layer_bits.empty()) refuse("layer_bits");
}

}  // namespace

bool QuantizeSettings::quantizes_activations() const {
  return scheme == Scheme::int8 || scheme == Scheme::int16_activations;
}

bool QuantizeSettings::quantizes_weights() const {
  return quantizes_activations() || scheme == Scheme::dynamic;
}

int QuantizeSettings::activation_bits() const {
  return scheme == Scheme::int16_activations ? 16 : 8;
}

int QuantizeSettings::bits_of(const std::string& layer) const {
  const auto found = layer_bits.find(layer);
  return found == layer_bits.end() ? weight_bits : found->second;
}

std::string_view to_string(Scheme scheme) {
  return word_of(schemes, scheme);
}

std::optional<Scheme> find_scheme(std::string_view word) {
  for (const auto& [scheme, name] : schemes)
    if (name == word) return scheme;
  return std::nullopt;
}

std::string_view to_string(Observer observer) {
  return word_of(observers, observer);
}

std::string_view to_string(WeightObserver observer) {
  return word_of(weight_observers, observer);
}

std::string_view to_string(WeightScales scales) {
  return word_of(scale_words, scales);
}

Json to_json(const QuantizeSettings& settings) {
  return {{"scheme", to_string(settings.scheme)},
          {"observer", to_string(settings.observer)},
          {"samples", settings.samples},
          {"weight_bits", settings.weight_bits},
          {"weight_observer", to_string(settings.weight_observer)},
          {"weight_scales", to_string(settings.weight_scales)},
          {"layer_bits", Json(settings.layer_bits)},
          {"training", word_of(training_words, settings.training)}};
}

QuantizeSettings read_quantize_settings(JsonObject& object) {
  QuantizeSettings settings;
  settings.scheme = read_word(object, "scheme", schemes, settings.scheme);
  settings.observer = read_word(object, "observer", observers, settings.observer);
  settings.samples = read_count(object, "samples", settings.samples, 512);
  settings.weight_bits = read_bits(object, "weight_bits", settings.weight_bits);
  settings.weight_observer =
      read_word(object, "weight_observer", weight_observers, settings.weight_observer);
  settings.weight_scales = read_word(object, "weight_scales", scale_words, settings.weight_scales);
  settings.layer_bits = read_layer_bits(object);
  settings.training = read_word(object, "training", training_words, settings.training);
  if (settings.training != QuantizationTraining::none && !settings.quantizes_weights())
    object.problem("training",
                   fmt::format("scheme {} has nothing to learn", to_string(settings.scheme)));
  refuse_widths_without_integers(object, settings);
  return settings;
}

std::vector<Json> known_schemes() {
  return all_words(schemes);
}

std::vector<Json> known_observers() {
  return all_words(observers);
}

std::vector<Json> known_weight_observers() {
  return all_words(weight_observers);
}

std::vector<Json> known_weight_scales() {
  return all_words(scale_words);
}

}  // namespace assay
