// The exact optimum of clustering in one dimension. Pure functions, thread-safe.
#pragma once

#include "compress/methods/segments.hpp"

namespace assay {

/// The segmentation into `count` segments, 1 to distinct(), with the least total cost; exact but
/// for the rounding of costs. Looks for a penalty at which penalized_segments has `count` segments,
/// which are then the best of that number, and falls back on segments_by_rows where there is none:
/// evenly spaced values can have the same gain from several further segments.
Segments best_segments(const SortedValues& values, std::size_t count);

/// The segmentation whose cost plus `penalty` for each segment is least. The costs satisfy the
/// quadrangle inequality, whichever centroids are allowed: of two centroids, every value below one
/// that is nearer to the lower is so too. Each start of a last segment is therefore best for one
/// run of ends, and a queue of those runs (Galil and Park, 1992) takes O(n log n) time for n
/// distinct values.
Segments penalized_segments(const SortedValues& values, double penalty);

/// As best_segments, by dynamic programming over D_j[i], the least cost of the first i values in j
/// segments: D_j[i] = min over a of D_{j-1}[a] + cost(a, i). The matrix of candidates is totally
/// monotone, so SMAWK (Aggarwal et al., 1987) finds the minima of all its rows in O(n), and those
/// of all k matrices take O(k n). Instead of k rows of choices only the boundary in the middle is
/// followed, and the halves are solved again (Hirschberg, 1975): twice the time in O(n) memory.
Segments segments_by_rows(const SortedValues& values, std::size_t count);

}  // namespace assay
