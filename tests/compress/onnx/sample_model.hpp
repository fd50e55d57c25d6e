// Models the ONNX tests write, damage and read.
#pragma once

#include "compress/onnx/model.hpp"

namespace assay::onnx {

/// A small int8 QDQ network, with an operator of another domain, an attribute of every kind, a
/// constant of every element type and metadata. Satisfies the ONNX checker.
Model sample_model();

}  // namespace assay::onnx
