// What quantization is asked to do. Pure functions, thread-safe.
#pragma once

#include "compress/methods/settings.hpp"

namespace assay {

/// How a range is taken from the activations of the calibration images.
enum class Observer {
  min_max,         ///< smallest and largest value seen
  moving_average,  ///< exponential moving average of each batch's extremes
  percentile,      ///< central 99.99 % of the values
  mse,             ///< the range with the least squared error after quantization
};

/// Post-training quantization to int8.
struct QuantizeSettings {
  Observer observer = Observer::min_max;
  int samples = 512;  ///< first so many images of the calibration split
};

std::string_view to_string(Observer observer);
Json to_json(const QuantizeSettings& settings);
/// Absent fields take their defaults; problems go to the object's JsonErrors.
QuantizeSettings read_quantize_settings(JsonObject& object);

}  // namespace assay
