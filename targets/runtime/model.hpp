// What generated model code provides to the firmware around it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::model {

extern const std::size_t input_size;       ///< elements, NHWC
extern const std::size_t output_size;      ///< logits
extern const std::uint8_t input_element;   ///< bytes of an element: 1 int8, 2 int16, 4 float32
extern const std::uint8_t output_element;  ///< the same of a logit
extern const std::uint8_t model_hash[32];  ///< SHA-256 of the ONNX file the code was generated from

/// The first byte of where the next input is written and the last output is read, aligned to 8;
/// both lie in the static arena and the output is valid until the next input is written.
std::int8_t* input();
const std::int8_t* output();

/// One inference, input() to output(). Not reentrant.
void run();

}  // namespace assay::model
