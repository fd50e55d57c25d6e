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

/// A tall image that shrinks: windows of 1 to 7 rows, strides of 1 to 3, lopsided padding, pools,
/// residuals, joined branches.
onnx::Model random_stages(unsigned seed);
onnx::Model wide_random_stages(unsigned seed);  ///< int16 activations

}  // namespace assay::test
