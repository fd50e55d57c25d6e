// SysTick, a 24-bit down counter of core cycles (Armv6-M architecture manual, B3.3), carried on to
// 32 bits by its interrupt. The interrupt stays on in the quiet window: an inference longer than
// 2^24 cycles counts right, at the price of one short handler per 2^24 cycles.
#include "targets/port/cycle_counter.hpp"
#include "targets/port/port.hpp"
#include "targets/port/registers.hpp"

namespace assay::port {
namespace {

constexpr std::uint32_t csr = 0xE000E010;
constexpr std::uint32_t rvr = 0xE000E014;
constexpr std::uint32_t cvr = 0xE000E018;
constexpr std::uint32_t icsr = 0xE000ED04;
constexpr std::uint32_t icsr_pendstset = 1u << 26;
constexpr std::uint32_t top = 0x00FFFFFF;

volatile std::uint32_t carried = 0;  // cycles before the counter's current round

void start_round() {
  reg(rvr) = top;
  reg(cvr) = 0;  // any write clears; the next clock loads `top`
  reg(csr) = 7;  // core clock, interrupt, on
}

/// Cycles of the round so far. Zero stands for the clock between clearing and loading: a round that
/// ran down to zero has its interrupt pending, which cycles() looks at.
std::uint32_t in_round() {
  const std::uint32_t left = reg(cvr);
  return left == 0 ? 0 : top - left;
}

}  // namespace

void start_cycle_counter() {
  start_round();
}

void postpone_counter_interrupt() {
  carried = cycles();
  reg(csr) = 0;
  start_round();
}

bool has_cycle_counter() {
  return true;
}

std::uint32_t cycles() {
  for (;;) {
    const std::uint32_t before = carried;
    const std::uint32_t round = in_round();
    const bool wrapping = (reg(icsr) & icsr_pendstset) != 0;
    if (!wrapping && carried == before) return before + round;
  }
}

extern "C" void systick_interrupt() {
  carried = carried + top + 1;
}

}  // namespace assay::port
