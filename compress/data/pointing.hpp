// The set "pointing": made by assay itself, for tests and for trying out regression. Something like
// an eye: a dark disc with a glint on a light, textured background; the targets x and y, -1 to 1,
// say where the disc sits. Subjects differ in disc size, darkness, brightness, texture and in where
// the disc rests. Stateless, thread-safe.
#pragma once

#include "compress/data/dataset.hpp"

namespace assay::pointing {

inline constexpr int subjects = 60;
inline constexpr int images_per_subject = 60;

/// 32 x 32 grey images, two targets.
DatasetInfo info();

/// Subjects 0..41 are the training split (2520 images), 42..50 validation (540), 51..59 test (540).
/// Image i of subject s has the origin 60 s + i. Images of a split are in turn of its subjects, so
/// the first N hold all of them. Drawn in integers: the same bits on every machine.
ImageSet load(Split split);

}  // namespace assay::pointing
