// ONNX operators computed with Torch, for inference and, where autograd follows, for training.
// Include only where Torch is wanted. Pure functions, thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay {

/// A constant of a model as a tensor that owns its data.
at::Tensor constant_tensor(const onnx::Tensor& constant);

/// The operators there are, which are those of computed_operators() in compress/train/trainable.
std::vector<std::string> operator_names();

/// The output of a node that passed check_operator; `inputs` are undefined where an optional input
/// is omitted. BatchNormalization uses its stored statistics. Errors: bad_input when the operator's
/// function does not know an attribute, or shapes do not fit.
Result<at::Tensor> apply_operator(const onnx::Node& node, std::vector<at::Tensor> inputs,
                                  const std::string& source);

}  // namespace assay
