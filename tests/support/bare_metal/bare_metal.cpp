#include "tests/support/bare_metal/bare_metal.hpp"

extern "C" {
extern std::uint32_t data_source[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];

// The compiler may turn loops into calls of these two; there is no C library here.
void* memset(void* to, int value, std::size_t size) {
  auto* out = static_cast<volatile unsigned char*>(to);
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<unsigned char>(value);
  return to;
}
void* memcpy(void* to, const void* from, std::size_t size) {
  auto* out = static_cast<volatile unsigned char*>(to);
  auto* in = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < size; ++i)
    out[i] = in[i];
  return to;
}

[[noreturn]] void reset_handler() {
#if defined(__ARM_FP)
  // CPACR: full access to the floating-point unit (Armv7-M ARM, B3.2.20).
  *reinterpret_cast<volatile std::uint32_t*>(0xe000ed88) |= 0xfu << 20;
  asm volatile("dsb\n isb" ::: "memory");
#endif
  const std::uint32_t* from = data_source;
  for (std::uint32_t* to = data_start; to != data_end;)
    *to++ = *from++;
  for (std::uint32_t* to = bss_start; to != bss_end;)
    *to++ = 0;
  test_main();
  bare_metal::exit();
}

[[noreturn]] void fault_handler() {
  bare_metal::print("FAULT\n");
  bare_metal::exit();
}

__attribute__((section(".vectors"), used))
const void* const vectors[16] = {stack_top,
                                 reinterpret_cast<void*>(reset_handler),
                                 reinterpret_cast<void*>(fault_handler),
                                 reinterpret_cast<void*>(fault_handler),
                                 reinterpret_cast<void*>(fault_handler),
                                 reinterpret_cast<void*>(fault_handler),
                                 reinterpret_cast<void*>(fault_handler)};
}

namespace bare_metal {

namespace {

constexpr int sys_write0 = 0x04;
constexpr int sys_exit = 0x18;
constexpr std::uintptr_t application_exit = 0x20026;

void semihosting_call(int operation, const void* parameter) {
  register int r0 asm("r0") = operation;
  register const void* r1 asm("r1") = parameter;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

}  // namespace

void print(const char* text) {
  semihosting_call(sys_write0, text);
}

void print(std::uint32_t number) {
  char digits[11];
  int i = 10;
  digits[i] = 0;
  do {
    digits[--i] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  print(digits + i);
}

void print_hex(const void* data, std::size_t size) {
  constexpr const char* hex = "0123456789abcdef";
  char line[65];
  const auto* bytes = static_cast<const unsigned char*>(data);
  while (size > 0) {
    int n = 0;
    for (; size > 0 && n < 64; --size, ++bytes) {
      line[n++] = hex[*bytes >> 4];
      line[n++] = hex[*bytes & 15];
    }
    line[n] = 0;
    print(line);
  }
}

void exit() {
  semihosting_call(sys_exit, reinterpret_cast<const void*>(application_exit));
  for (;;) {
  }
}

}  // namespace bare_metal
