// Damages a model as a value: what is left is a file that can be read, and a network that is odd.
#pragma once

#include <random>

#include "compress/onnx/model.hpp"

namespace assay::test {

/// One random change: an operator, an attribute, a name, a shape, constants, a node more or less.
void mutate(onnx::Model& model, std::mt19937& random);

}  // namespace assay::test
