// Pixels to normalized network inputs. Free of Torch; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "compress/data/augment.hpp"
#include "compress/data/dataset.hpp"

namespace assay {

/// How an epoch's images are changed before they are normalized; by default not at all.
struct Augmentation {
  const Augmenter* augmenter = nullptr;
  int epoch = 0;
};

/// x = (pixel / 255 - mean) / deviation by table: every pixel value of every channel, once.
class Preprocessor {
 public:
  explicit Preprocessor(const Normalization& normalization);

  /// Images `indices` of `images` into `out` [indices][channels][height][width], which is resized.
  void gather(const ImageSet& images, std::span<const int> indices, std::vector<float>& out,
              Augmentation augmentation = {}) const;
  /// Images first to first + count - 1.
  void slice(const ImageSet& images, int first, int count, std::vector<float>& out) const;

 private:
  void convert(const std::uint8_t* pixels, int plane, float* out) const;

  std::vector<std::array<float, 256>> tables_;  // one per channel
};

}  // namespace assay
