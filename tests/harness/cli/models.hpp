// ONNX files for the command line to be tried with: untrained networks over Fashion-MNIST
// images, and their flaws.
#pragma once

#include <string>

#include "tests/targets/graph/float_form.hpp"

namespace assay::test {

/// The bytes of a small int8 network that fits every part.
std::string small_model();
/// The bytes of a network with `outputs` neurons over all pixels: 784 bytes of weights each.
std::string wide_model(int outputs);
/// The bytes of a network whose first layer has as many channels, of 784 bytes each.
std::string deep_image_model(int channels);
/// The bytes of a network whose first layer has as many channels, of 784 bytes each; its second is
/// as large, and depthwise.
std::string two_deep_layers_model(int channels);
/// The same, but the second is a convolution to eight channels of 196 bytes.
std::string narrowing_model(int channels);
/// The bytes of a small network over an image of size x size pixels.
std::string large_image_model(int size);
/// The bytes of the small network with int16 activations.
std::string small_int16_model();
/// The bytes of the small network in float.
std::string small_float_model(FloatForm form);

}  // namespace assay::test
