// Tensors to plain values and back. Include only where Torch is wanted. Pure functions.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "harness/core/json.hpp"

namespace assay {

/// The elements of a float tensor, row-major whatever its memory format.
std::vector<float> to_vector(const at::Tensor& tensor);

/// Row-major `values` as a tensor of the shape, memory format and device of `weight`.
at::Tensor like_weight(const std::vector<float>& values, const at::Tensor& weight);

/// A log inside a checkpoint, which holds tensors: the bytes of its text.
at::Tensor tensor_of(const Json& json);
Json json_of(const at::Tensor& tensor);

}  // namespace assay
