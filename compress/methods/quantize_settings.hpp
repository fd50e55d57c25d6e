// The settings of quantization, after or while training, as values and as JSON. Free of Torch. Pure
// functions, thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "harness/core/json.hpp"

namespace assay {

/// What becomes of a float model.
enum class Scheme {
  none,               ///< nothing: float32
  int8,               ///< int8 weights and activations
  dynamic,            ///< int8 weights that are dequantized into float layers; float activations
  float16,            ///< float16 weights and biases behind a Cast to float32
  int16_activations,  ///< "int8w-int16a": int8 weights, int16 activations
};

/// How a range is taken from the activations of the calibration images.
enum class Observer {
  min_max,         ///< smallest and largest value seen
  moving_average,  ///< exponential moving average of each image's extremes
  percentile,      ///< central 99.99 % of the values
  mse,             ///< the range with the least squared error after quantization
};

/// How a scale is taken from weights.
enum class WeightObserver {
  automatic,   ///< min_max at 8 bits, mse below
  min_max,     ///< the largest magnitude
  percentile,  ///< the magnitude that 99.99 % of the weights do not pass
  mse,         ///< the scale with the least squared error after rounding
};

/// What shares one weight scale.
enum class WeightScales {
  channel,  ///< the weights of an output channel
  tensor,   ///< all weights of a layer
};

/// Whether a network learns to be quantized.
enum class QuantizationTraining {
  none,      ///< quantized after training
  observed,  ///< trained with scales that follow weights and activations
  learned,   ///< trained with scales that are trained too
};

/// Quantization, after or while training. Low-bit weights are integers of less range in int8
/// tensors: [-127, 127] at 8 bits, [-7, 7] at 4, [-1, 1] at 2.
struct QuantizeSettings {
  Scheme scheme = Scheme::int8;
  Observer observer = Observer::min_max;
  int samples = 512;    ///< first so many images of the calibration split
  int weight_bits = 8;  ///< 8, 4 or 2
  WeightObserver weight_observer = WeightObserver::automatic;
  WeightScales weight_scales = WeightScales::channel;
  std::map<std::string, int> layer_bits = {};  ///< by layer name, in place of weight_bits
  QuantizationTraining training = QuantizationTraining::none;

  /// Whether activations are integers, so that their ranges are needed.
  bool quantizes_activations() const;
  /// Whether weights are integers, so that their width and scales matter.
  bool quantizes_weights() const;
  int activation_bits() const;  ///< 8 or 16, where activations are integers
  int bits_of(const std::string& layer) const;
};

/// Whether weights can have this width: 8, 4 or 2 bits.
constexpr bool is_weight_width(int bits) {
  return bits == 8 || bits == 4 || bits == 2;
}

std::string_view to_string(Scheme scheme);
/// The scheme of that word, if there is one.
std::optional<Scheme> find_scheme(std::string_view word);
std::string_view to_string(Observer observer);
std::string_view to_string(WeightObserver observer);
std::string_view to_string(WeightScales scales);

/// Every field is written, defaults too.
Json to_json(const QuantizeSettings& settings);
/// Absent fields take their defaults. Problems go to the object's JsonErrors: unknown words, widths
/// other than 8, 4 and 2, and widths below 8 in a scheme without integer weights.
QuantizeSettings read_quantize_settings(JsonObject& object);

/// The words of the schemes and observers, as a matrix field offers them.
std::vector<Json> known_schemes();
std::vector<Json> known_observers();
std::vector<Json> known_weight_observers();
std::vector<Json> known_weight_scales();

}  // namespace assay
