// Small int8 and int16 QDQ classifiers of ten classes; the same seed gives the same network.
#pragma once

#include "tests/targets/graph/qdq_builder.hpp"

namespace assay::test {

/// Convolutions, pools and additions in one of several styles, chosen by the seed.
onnx::Model random_network(unsigned seed);
onnx::Model wide_random_network(unsigned seed);  ///< int16 activations

/// Squeezes and excites, joins branches and convolves in groups.
onnx::Model random_branches(unsigned seed);
onnx::Model wide_random_branches(unsigned seed);  ///< int16 activations

}  // namespace assay::test
