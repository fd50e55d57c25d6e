// Quant-Noise (Fan et al., "Training with Quantization Noise for Extreme Model Compression", 2021):
// in every forward pass of a training a random part of the weights is quantized, the rest is not.
// Free of Torch. Pure functions, thread-safe.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "compress/methods/layer_policy.hpp"
#include "compress/methods/product_quantization.hpp"

namespace assay {

struct NoiseSettings {
  enum class Kind {
    int8,     ///< scalar noise: the int8 grid of each output channel
    int4,     ///< the int4 grid of each output channel
    product,  ///< a codebook of blocks; the trained network keeps the codebook's weights
  };
  Kind kind = Kind::int8;
  double p = 0.5;               ///< probability that a block is quantized in a pass; in (0, 1]
  int block = 8;                ///< weights of a row that are quantized together, or not
  int refresh = 1000;           ///< steps after which scales and codebooks are found anew
  ProductQuantization product;  ///< its block is `block`
  LayerPolicy layers;
};

Json to_json(const NoiseSettings& settings);
/// Problems go to the object's JsonErrors. The probability is 0.5 unless given, of product
/// quantization 0.1 (section 5.2 of the paper uses 0.05 to 0.2).
NoiseSettings read_noise_settings(JsonObject& object);

/// The layers of a network that see the noise, and why others of the policy do not.
struct NoisyLayers {
  std::vector<std::size_t> chosen;              ///< positions, ascending; at least one
  std::map<std::string, std::string> left_out;  ///< name -> reason
};

/// `frozen` says of each layer whether training leaves it as it is. Errors: bad_input as
/// select_layers, and when none of the chosen layers can have noise.
Result<NoisyLayers> choose_noisy_layers(std::span<const WeightedLayer> layers,
                                        const std::vector<bool>& frozen,
                                        const NoiseSettings& settings);

}  // namespace assay
