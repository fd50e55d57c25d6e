// Entry of every firmware and host-target program. Compiled once per part:
// -DASSAY_PART_NAME="<name>" (with the quotes, as a string literal).
#include "targets/wire/firmware_loop.hpp"

#ifndef ASSAY_PART_NAME
#error "compile firmware_main.cpp with -DASSAY_PART_NAME"
#endif

int main() {
  static assay::wire::FirmwareLoop loop;
  loop.start(ASSAY_PART_NAME);
  while (true)
    loop.poll();
}
