// Layers drawn from a seed: any window, stride, padding, image and channel count that lowering lets
// through, with weights and zero points at the ends of their ranges more often than chance has
// them.
#pragma once

#include <cstdint>
#include <string>

#include "tests/targets/kernels/awkward_shapes.hpp"

namespace assay::test {

/// The layer of a seed, the same on every machine; its name says the seed. Every fourth is over
/// int16 tensors, every eighth in float. Tensors and weights are small enough for the smallest
/// core's memory.
NamedGraph fuzzed_layer(std::uint32_t seed);

}  // namespace assay::test
