// Whether a network is one that the worker can compute and train. Free of Torch, so that a plan can
// ask before anything runs. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "compress/onnx/model.hpp"

namespace assay {

/// The operators that compress/train/operators computes, and how many inputs each must have. Those
/// of other domains have it in front: "com.microsoft.QuantizeLinear".
const std::map<std::string, std::size_t>& computed_operators();

/// The name of a node's operator as it is in computed_operators().
std::string operator_name(const onnx::Node& node);

/// bad_input naming the node unless its operator is among those above, with enough inputs and one
/// output; `source` names the model.
Status check_operator(const onnx::Node& node, const std::string& source);

/// Errors: bad_input naming the node that is none of those, or whose weights or numbers are no
/// constants of its own as training needs them; a model without one image input and one output.
Status check_trainable(const onnx::Model& model, const std::string& source);

}  // namespace assay
