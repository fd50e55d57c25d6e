// What generated model code provides to the firmware around it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::model {

extern const std::size_t input_size;       ///< int8 elements, NHWC
extern const std::size_t output_size;      ///< int8 logits
extern const std::uint8_t model_hash[32];  ///< SHA-256 of the ONNX file the code was generated from

/// Where the next input is written and the last output is read; both lie in the static arena and
/// the output is valid until the next input is written.
std::int8_t* input();
const std::int8_t* output();

/// One inference, input() to output(). Not reentrant.
void run();

}  // namespace assay::model
