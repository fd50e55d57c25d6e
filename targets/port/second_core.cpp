// What the second core of a chip executes, where nothing but an image at its boot address keeps it
// from running whatever lies there (`second_core` of a part). It sleeps with interrupts masked. Not
// deep sleep: the domain it shares with peripherals that the first core uses keeps its clocks.
// Every instruction is one that all Cortex-M have, for this is compiled for the first core.
#include <cstdint>

// From the linker script.
extern "C" std::uint32_t assay_second_core_stack[];

namespace assay::port {
namespace {

[[gnu::naked, noreturn, gnu::section(".second_core.code")]] void hold_second_core() {
  asm volatile(
      ".syntax unified\n"
      "cpsid i\n"
      "1:\n"
      "wfi\n"
      "b 1b\n");
}

/// As far as exceptions that cannot be masked go; the others are off or end in the last of these.
/// The first core may keep tensors where the stack would grow. It stays empty: what raises NMI is
/// the clock security system, which the firmware does not turn on.
struct Vectors {
  std::uint32_t* stack;
  void (*reset)();
  void (*nmi)();
  void (*hard_fault)();
};

}  // namespace

extern "C" {
extern const Vectors assay_second_core_vectors;
[[gnu::section(".second_core.vectors"), gnu::used]] constexpr Vectors assay_second_core_vectors{
    assay_second_core_stack, hold_second_core, hold_second_core, hold_second_core};
}

}  // namespace assay::port
