#include "compress/methods/quantize_settings.hpp"

namespace assay {
namespace {

constexpr Words<Observer, 4> observers{{
    {Observer::min_max, "min-max"},
    {Observer::moving_average, "moving-average"},
    {Observer::percentile, "percentile"},
    {Observer::mse, "mse"},
}};

}  // namespace

std::string_view to_string(Observer observer) {
  return word_of(observers, observer);
}

Json to_json(const QuantizeSettings& settings) {
  return {{"scheme", "int8"},
          {"observer", to_string(settings.observer)},
          {"samples", settings.samples}};
}

QuantizeSettings read_quantize_settings(JsonObject& object) {
  QuantizeSettings settings;
  object.choice("scheme", {"int8"}, "int8");
  settings.observer = read_word(object, "observer", observers, settings.observer);
  settings.samples = read_count(object, "samples", settings.samples, 512);
  return settings;
}

}  // namespace assay
