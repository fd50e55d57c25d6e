// Resizing by area averaging. Pure function, thread-safe.
#pragma once

#include "compress/data/image_file.hpp"

namespace assay {

/// Every pixel of the result is the mean of the area of the source that it covers, source pixels
/// weighted by how much of them lies inside; rounded to the nearest, halves up. Exact in integers,
/// so the same on every machine. The two sides are scaled independently. Enlarging repeats pixels,
/// mixing two where an edge falls inside one.
RawImage resize_by_area(const RawImage& image, int height, int width);

}  // namespace assay
