#include "compress/train/layer_parameters.hpp"

#include <cmath>

namespace assay {

LayerParameters fold_batch_norm(const LayerParameters& layer) {
  LayerParameters folded = layer;
  const std::size_t channels = std::size_t(layer.shape.front());
  folded.bias.resize(channels, 0.0F);
  if (!layer.batch_norm) return folded;
  const BatchNorm& norm = *layer.batch_norm;
  const std::size_t per_channel = layer.weights.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    const double factor = norm.gamma[c] / std::sqrt(norm.variance[c] + norm.epsilon);
    for (std::size_t i = c * per_channel; i < (c + 1) * per_channel; ++i)
      folded.weights[i] = float(layer.weights[i] * factor);
    folded.bias[c] = float((double(folded.bias[c]) - norm.mean[c]) * factor + norm.beta[c]);
  }
  folded.batch_norm.reset();
  return folded;
}

}  // namespace assay
