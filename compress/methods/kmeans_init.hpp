// How Lloyd's iteration starts. Pure functions but for the generator they draw from.
#pragma once

#include <vector>

#include "compress/methods/kmeans.hpp"
#include "compress/methods/random.hpp"
#include "compress/methods/segments.hpp"

namespace assay {

/// `k` ascending centroids, some of which may be equal; k is 1 to values.distinct(). `init` is any
/// but exact, which needs no start.
std::vector<double> initial_centroids(const SortedValues& values, std::size_t k, KmeansInit init,
                                      Random& random);

}  // namespace assay
