// The small world a device function is tested in under QEMU: text output and exit by semihosting
// (Arm semihosting specification 2.0). The program defines `void test_main()`.
#pragma once

#include <cstddef>
#include <cstdint>

void test_main();

namespace bare_metal {

/// Prints a zero-terminated text.
void print(const char* text);
/// Prints a decimal number.
void print(std::uint32_t number);
/// Prints bytes as hex digits.
void print_hex(const void* data, std::size_t size);
[[noreturn]] void exit();

}  // namespace bare_metal
