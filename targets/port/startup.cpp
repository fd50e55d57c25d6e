#include "targets/port/startup.hpp"

#include "targets/port/registers.hpp"

/// The firmware's main(), under a name that C++ lets us call.
extern "C" int firmware_main() asm("main");

// From the linker script.
extern "C" std::uint32_t assay_data_load[];
extern "C" std::uint32_t assay_data_begin[];
extern "C" std::uint32_t assay_data_end[];
extern "C" std::uint32_t assay_zero_begin[];
extern "C" std::uint32_t assay_zero_end[];
extern "C" std::uint32_t assay_vectors[];

namespace assay::port {
namespace {

/// Grants access to the FPU before any floating-point instruction (Armv7-M B3.2.20).
void enable_fpu() {
#ifdef __ARM_FP
  constexpr std::uint32_t cpacr = 0xE000ED88;
  reg(cpacr) = reg(cpacr) | (0xFu << 20);
  asm volatile("dsb\n isb" ::: "memory");
#endif
}

/// A debugger or boot loader may have left another table in place; v6-M has no VTOR.
void set_vector_table() {
#if __ARM_ARCH >= 7
  constexpr std::uint32_t vtor = 0xE000ED08;
  reg(vtor) = reinterpret_cast<std::uint32_t>(assay_vectors);
#endif
}

void initialize_memory() {
  const std::uint32_t* from = assay_data_load;
  for (std::uint32_t* to = assay_data_begin; to != assay_data_end;)
    *to++ = *from++;
  for (std::uint32_t* to = assay_zero_begin; to != assay_zero_end;)
    *to++ = 0;
}

}  // namespace

void paint_stack() {
  std::uint32_t* here;
  asm volatile("mov %0, sp" : "=r"(here));
  for (volatile std::uint32_t* word = assay_stack_bottom; word < here; ++word)
    *word = stack_paint;
}

extern "C" {

FaultRecord fault_record;

void reset_handler() {
  enable_fpu();
  set_vector_table();
  paint_stack();
  initialize_memory();
  firmware_main();
  for (;;) {
  }
}

[[noreturn, gnu::used]] void assay_record_fault(const std::uint32_t* frame,
                                                std::uint32_t exception) {
  // A frame outside the stack means that the stack overflowed and nothing was stored.
  const bool stored = frame >= assay_stack_bottom && frame + 8 <= assay_stack_top;
  fault_record.pc = stored ? frame[6] : 0;
  fault_record.lr = stored ? frame[5] : 0;
#if __ARM_ARCH >= 7
  fault_record.cfsr = reg(0xE000ED28);
#endif
  asm volatile("" ::: "memory");  // last, so that who sees an exception sees all of it
  fault_record.exception = exception;
  for (;;) {
  }
}

[[gnu::naked]] bool probe_read(std::uint32_t, std::uint32_t*) {
  asm volatile(
      ".syntax unified\n"
      "assay_probe_load:\n"
      "ldr r2, [r0]\n"
      "str r2, [r1]\n"
      "movs r0, #1\n"
      "bx lr\n"
      "assay_probe_refused:\n"
      "movs r0, #0\n"
      "bx lr\n");
}

/// A refused probe_read() carries on at its second exit: the frame's return address is replaced.
/// Anything else is final. The stack pointer may be what is broken, so the frame is looked at only
/// when it lies in the stack, and the report is made on a fresh stack.
[[gnu::naked, noreturn]] void unexpected_exception() {
  asm volatile(
      ".syntax unified\n"
      "mrs r0, msp\n"
      "ldr r1, =assay_stack_bottom\n"
      "cmp r0, r1\n"
      "blo 1f\n"
      "ldr r1, [r0, #24]\n"
      "ldr r2, =assay_probe_load\n"
      "cmp r1, r2\n"
      "bne 1f\n"
      "ldr r2, =assay_probe_refused\n"
      "str r2, [r0, #24]\n"
      "bx lr\n"
      "1:\n"
      "mrs r1, ipsr\n"
      "ldr r2, =assay_stack_top\n"
      "mov sp, r2\n"
      "bl assay_record_fault\n"
      ".ltorg\n");
}

}  // extern "C"

}  // namespace assay::port
