// A made-up task that a small network learns in seconds: which half of an image is bright.
#pragma once

#include <random>
#include <stdexcept>

#include "compress/data/dataset.hpp"
#include "compress/models/initial_network.hpp"
#include "harness/core/hash.hpp"

namespace assay::testing_models {

inline ImageSet bright_halves(int count, unsigned seed) {
  ImageSet set{count, 1, 8, 8, {}, {}};
  std::mt19937 generator(seed);
  for (int i = 0; i < count; ++i) {
    set.labels.push_back(std::uint8_t(i % 2));
    for (int pixel = 0; pixel < 64; ++pixel) {
      const bool bright = (pixel % 8 < 4) == (i % 2 == 0);
      set.pixels.push_back(std::uint8_t(generator() % 128 + (bright ? 90 : 0)));
    }
  }
  return set;
}

/// "conv" (with batch normalization), "relu", "flat" and "dense", untrained.
inline onnx::Model initial(std::uint64_t seed, int filters = 4, int stride = 1) {
  ModelSpec spec{"small", 1, 8, 8, 2, {}};
  LayerSpec conv{"conv", LayerOp::convolution, {-1}, filters, 3, stride, 1, true};
  LayerSpec dense{"dense", LayerOp::dense, {2}, 2, 1, 1, 0, false};
  spec.layers = {conv, {"relu", LayerOp::relu, {0}}, {"flat", LayerOp::flatten, {1}}, dense};
  const auto model = initial_network(spec, seed, {"bright-halves", {{0.4F}, {0.25F}}});
  if (!model) throw std::runtime_error(model.error().message);
  return *model;
}

/// Equal for equal bits; short, so that a difference does not fill a screen.
inline std::string fingerprint(const onnx::Model& model) {
  return sha256_hex(onnx::serialize_model(model));
}

}  // namespace assay::testing_models
