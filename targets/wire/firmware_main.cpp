// Entry of every firmware and host-target program. Compiled once per model and part, because its
// buffers are sized by the model: -DASSAY_INPUT_SIZE=<model::input_size> and
// -DASSAY_PART_NAME="<name>" (with the quotes, as a string literal).
#include "targets/wire/firmware_loop.hpp"

#if !defined(ASSAY_INPUT_SIZE) || !defined(ASSAY_PART_NAME)
#error "compile firmware_main.cpp with -DASSAY_INPUT_SIZE=<int8 inputs> and -DASSAY_PART_NAME"
#endif

int main() {
  static assay::wire::FirmwareBuffers<ASSAY_INPUT_SIZE> buffers;
  static assay::wire::FirmwareLoop loop;
  loop.start(ASSAY_PART_NAME, buffers.memory());
  while (true)
    loop.poll();
}
