// How a described set is divided into training, validation and test: by names alone, so that no
// seed takes part and a set divides alike on every machine. Pure function, thread-safe.
#pragma once

#include <vector>

#include "compress/data/sample_list.hpp"

namespace assay {

/// A split (never calibration) for every sample.
///
/// With subjects: the subjects in the order of their stable hashes; the first part is the test
/// split, the next validation, the rest training; no subject is on both sides. Without: the same
/// with the images of each class (of a regression, with all images), by their identities. A part is
/// rounded to the nearest number and at least 1.
///
/// Where the source itself says the split, it is kept. When it names no validation image at all,
/// validation is taken from its training images by the rule above.
///
/// Errors: bad_input: a subject that the source puts into two splits (both lines named), a class or
/// a number of subjects too small to be in all splits, an empty split, a class without training
/// images.
Result<std::vector<Split>> divide(const DatasetDescription& set, const SampleList& list);

}  // namespace assay
