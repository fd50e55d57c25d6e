// A model spec as a float ONNX network that training starts from. Pure function, thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "compress/models/input_meaning.hpp"
#include "compress/models/model_spec.hpp"

namespace assay {

/// Float NCHW "input" [N, channels, height, width] to "logits" [N, classes], opset 17, one node per
/// layer under the layer's name, its output "<name>.output". Batch normalization is a node of its
/// own, "<name>.norm". Convolution weights [out][in / groups][kh][kw] start from He initialization
/// by fan-out, dense weights [out][in] from a normal distribution of deviation 1 / sqrt(in) (He et
/// al., 2015, section 2.2), biases at 0; layer after layer from one std::mt19937_64 of `seed`, by
/// the method of Box and Muller. Without a seed everything is 0, which serves to look at shapes.
/// Errors: bad_input when the layers do not fit each other.
Result<onnx::Model> initial_network(const ModelSpec& spec, std::optional<std::uint64_t> seed,
                                    const InputMeaning& meaning);

}  // namespace assay
