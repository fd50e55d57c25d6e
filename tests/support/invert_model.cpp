// A model for host programs in the tests of pipes: as many outputs as inputs, each inverted.
// Compile with -DASSAY_INPUT_SIZE, as firmware_main.cpp.
#include "targets/runtime/model.hpp"

namespace assay::model {

namespace {

std::int8_t values[ASSAY_INPUT_SIZE];

}  // namespace

const std::size_t input_size = ASSAY_INPUT_SIZE;
const std::size_t output_size = ASSAY_INPUT_SIZE;
const std::uint8_t input_element = 1;
const std::uint8_t output_element = 1;
const std::uint8_t model_hash[32] = {0x42};

std::int8_t* input() {
  return values;
}
const std::int8_t* output() {
  return values;
}

void run() {
  for (std::int8_t& value : values)
    value = static_cast<std::int8_t>(~value);
}

}  // namespace assay::model
