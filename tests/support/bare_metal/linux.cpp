// The same small world as a static Linux program under QEMU's user-mode emulator.
#include <cstdio>
#include <cstdlib>

#include "tests/support/bare_metal/bare_metal.hpp"

namespace bare_metal {

void print(const char* text) {
  std::fputs(text, stdout);
}

void print(std::uint32_t number) {
  std::printf("%lu", static_cast<unsigned long>(number));
}

void print_hex(const void* data, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    std::printf("%02x", static_cast<const unsigned char*>(data)[i]);
}

void exit() {
  std::exit(EXIT_SUCCESS);
}

}  // namespace bare_metal

int main() {
  test_main();
}
