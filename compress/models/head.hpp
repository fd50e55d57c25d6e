// The head of a network: its last layer with weights, which tells the classes apart. Pure
// functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "compress/onnx/model.hpp"

namespace assay {

/// The node that is the head: the Gemm, or the 1x1 Conv of one group, whose output becomes the
/// network's through nothing but Softmax, Flatten, Reshape, GlobalAveragePool, Relu, Dropout and
/// Identity. Errors: bad_input naming the node the output comes from instead; a head whose weights
/// are no float32 constant of the expected shape. `source` names the model.
Result<std::string> find_head(const onnx::Model& model, const std::string& source);

/// The network with a new head for `outputs` classes: weights from the distribution initial_network
/// gives a layer of that kind, drawn from `seed`, and a bias of 0 where there was one. Softmax
/// behind the head is left out, since losses take logits. All other nodes and constants stay as
/// they are, bit for bit. Errors: as find_head; outputs below 1.
Result<onnx::Model> replace_head(const onnx::Model& model, int outputs, std::uint64_t seed,
                                 const std::string& source);

}  // namespace assay
