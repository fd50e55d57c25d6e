// How a set that comes as a training and a test file is divided: by the order in the file, so that
// no seed takes part. Pure function, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/data/dataset.hpp"

namespace assay {

/// The first `validation_per_class` images of every class are the validation split, all others the
/// training split; calibration is the first training images of every class, as evenly as
/// `calibration_images` in so many classes can be.
struct OrderedSplit {
  int classes = 10;
  int validation_per_class = 500;
  int calibration_images = 512;
};

/// Indices of a split's images among the training file's labels, ascending; of the test split, all
/// of the test file's. Labels are below `rule.classes`.
std::vector<int> choose_by_order(std::span<const std::uint8_t> labels, const OrderedSplit& rule,
                                 Split split);

}  // namespace assay
