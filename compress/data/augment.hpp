// Random changes of training images: mirrored, shifted, a square cut out. Free of Torch.
//
// What is done to an image depends on (seed, epoch, index) alone, by the counter-based generator of
// counter_random.hpp: not on the order of the calls, on other images, or on the thread. Settings do
// not disturb each other: every image draws all its numbers whatever is switched on.
// All functions are thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/data/dataset.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// What may happen to an image; all off leaves it as it is.
struct AugmentSettings {
  bool flip = false;  ///< mirrored left to right with probability 1/2
  int shift = 0;      ///< moved by -shift to shift pixels along each axis, each as likely
  int cutout = 0;     ///< side of a square set to the mean, 0 for none (DeVries and Taylor, 2017)

  bool any() const { return flip || shift > 0 || cutout > 0; }
};

/// Every field is written.
Json to_json(const AugmentSettings& settings);

/// Absent fields take their defaults. Problems (unknown field, a length below 0 or above 1024) go
/// to the object's JsonErrors.
AugmentSettings read_augment_settings(JsonObject& object);

/// Writes augmented images of one training split.
class Augmenter {
 public:
  /// Errors: bad_input when the shift or the square does not fit into the images, and when targets
  /// would become wrong: flips and shifts of a regression set.
  static Result<Augmenter> create(const AugmentSettings& settings, const DatasetInfo& data,
                                  std::uint64_t seed);

  /// The pixels of image `index` in epoch `epoch` (from 0), images.image_size() of them, in three
  /// steps. Flip: columns reversed. Shift: what moves in from outside is 0, the background of most
  /// sets. Cutout: the centre of the square is anywhere in the image with equal probability (for an
  /// even side, the pixel right of and below the middle), what hangs over is lost; its pixels
  /// become the mean of their channel, rounded.
  void write(const ImageSet& images, int epoch, int index, std::span<std::uint8_t> out) const;

 private:
  Augmenter(const AugmentSettings& settings, std::vector<std::uint8_t> mean, std::uint64_t seed)
      : settings_(settings), mean_(std::move(mean)), seed_(seed) {}

  AugmentSettings settings_;
  std::vector<std::uint8_t> mean_;  ///< of each channel, 0..255
  std::uint64_t seed_;
};

}  // namespace assay
