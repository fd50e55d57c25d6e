// Image classification data sets: fixed splits, verified by checksum before use. Functions are
// thread-safe; ASSAY_DATA is read at every call.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

enum class Split { train, validation, calibration, test };

std::string_view to_string(Split split);

/// Images and labels of one split, in an order that never changes.
struct ImageSet {
  int count = 0;
  int channels = 1;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  ///< [count][channels][height][width], 0..255
  std::vector<std::uint8_t> labels;  ///< [count]

  /// The pixels of one image, [channels][height][width].
  const std::uint8_t* image(int index) const {
    return pixels.data() + std::size_t(index) * channels * height * width;
  }
};

/// Per-channel normalization: x = (pixel / 255 - mean) / deviation.
struct Normalization {
  std::vector<float> mean;
  std::vector<float> deviation;
};

/// What is known about a data set without reading it.
struct DatasetInfo {
  std::string_view name;   ///< "fashion-mnist"
  std::string_view title;  ///< "Fashion-MNIST"
  int classes = 0;
  int channels = 1;
  int height = 0;
  int width = 0;
  std::vector<std::string> class_names;
  int training_images = 0;  ///< in the training split
  Normalization normalization;
  std::string fingerprint;  ///< hash over the expected checksums: enters stage keys
};

/// Errors: bad_input naming the unknown set and the known ones.
Result<DatasetInfo> find_dataset(const std::string& name);
std::vector<std::string> known_datasets();

/// Checks that the files are there and have the expected SHA-256. Errors: bad_input naming the file
/// and what to do (install dataset-fashion-mnist, set ASSAY_DATA).
Status verify_dataset(const std::string& name);

/// Reads one split; the checksum of every file it needs is verified first, other files are left
/// alone. Fashion-MNIST: train 55 000 and validation 5 000 (500 of each class: the first in the
/// file), calibration 512 of the training images (51 or 52 of each class), test 10 000; the same
/// for every seed, in the order of the source. A split's images are never part of another's, except
/// calibration's, which are training images. ASSAY_DATA names a folder whose sub-folder
/// "fashion-mnist" holds the files, instead of the system's.
/// Errors: bad_input for an unknown set, a missing file (naming the Debian package), a file with
/// another checksum (both stated), damaged data.
Result<ImageSet> load_split(const std::string& name, Split split);

}  // namespace assay
