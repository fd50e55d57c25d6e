// Cycle counter of the data watchpoint and trace unit (Armv7-M architecture manual, C1.8).
#include "targets/port/cycle_counter.hpp"
#include "targets/port/port.hpp"
#include "targets/port/registers.hpp"
#include "targets/port/startup.hpp"

namespace assay::port {
namespace {

constexpr std::uint32_t demcr = 0xE000EDFC;
constexpr std::uint32_t dwt_ctrl = 0xE0001000;
constexpr std::uint32_t dwt_cyccnt = 0xE0001004;
constexpr std::uint32_t dwt_lar = 0xE0001FB0;  // the lock is the Cortex-M7's (Arm 100165, DWT)
constexpr std::uint32_t coresight_key = 0xC5ACCE55;

bool counting = false;

}  // namespace

void start_cycle_counter() {
  reg(demcr) = reg(demcr) | (1u << 24);  // TRCENA
  reg(dwt_lar) = coresight_key;
  reg(dwt_ctrl) = reg(dwt_ctrl) | 1u;  // CYCCNTENA
  // The unit is optional and emulators leave it out: believe it only when it moves.
  const std::uint32_t first = reg(dwt_cyccnt);
  counting = reg(dwt_cyccnt) != first;
}

void postpone_counter_interrupt() {}

bool has_cycle_counter() {
  return counting;
}

std::uint32_t cycles() {
  return reg(dwt_cyccnt);
}

extern "C" void systick_interrupt() {
  unexpected_exception();
}

}  // namespace assay::port
