#include "boards/virtual/system_space.hpp"

namespace assay::virtual_board {
namespace {

// Offsets from 0xE0000000.
constexpr std::uint32_t dwt_ctrl = 0x1000, dwt_cyccnt = 0x1004, dwt_lar = 0x1FB0, dwt_lsr = 0x1FB4;
constexpr std::uint32_t fpb_begin = 0x2000, fpb_end = 0x2024;
constexpr std::uint32_t systick_begin = 0xE010, systick_end = 0xE020;
constexpr std::uint32_t nvic_begin = 0xE100, nvic_end = 0xE4F0;
constexpr std::uint32_t cpuid_register = 0xED00, icsr = 0xED04, vtor = 0xED08, aircr = 0xED0C,
                        scr = 0xED10, ccr = 0xED14, shpr1 = 0xED18, shpr3 = 0xED20, shcsr = 0xED24,
                        cfsr = 0xED28, hfsr = 0xED2C, dfsr = 0xED30, mmfar = 0xED34, bfar = 0xED38,
                        cpacr = 0xED88, debug_begin = 0xEDF0, debug_end = 0xEE00, stir = 0xEF00,
                        fpccr = 0xEF34, mvfr0 = 0xEF40, mvfr1 = 0xEF44;
constexpr std::uint32_t rom_table = 0xFF000;

constexpr std::uint32_t dwt_no_counter = 1u << 25;  // NOCYCCNT
constexpr std::uint32_t handlers[] = {exception_memory, exception_bus, exception_usage};

}  // namespace

SystemSpace::SystemSpace(const Part& part, const TimeSource& time, Requests requests)
    : part_(part),
      time_(time),
      requests_(std::move(requests)),
      mainline_(part.core.architecture != "armv6-m"),
      fpu_(part.core.fpu),
      cycle_counter_(part.core.cycle_counter == "dwt"),
      nvic_(mainline_ ? 4 : 2),
      core_registers_(part),
      watchpoint_lock_(part.core.engine_model == "cortex-m7") {}

void SystemSpace::reset() {
  nvic_.reset();
  systick_.reset(time_.cycles());
  core_registers_.reset();
  watchpoint_locked_ = watchpoint_lock_;
  vector_table_ = part_.flash_alias.value_or(part_.flash().base);
  coprocessor_access_ = system_control_ = handler_control_ = 0;
  fault_status_ = hard_fault_status_ = bus_fault_address_ = 0;
  fpu_context_ = fpu_ ? 0xC0000000 : 0;  // ASPEN and LSPEN are on after reset (B3.2.21)
  configuration_ = mainline_ ? 0x200 : 0x208;
}

void SystemSpace::note_fault(std::uint32_t status, std::uint32_t address) {
  fault_status_ |= status;
  if ((status & fault_precise_bus) == fault_precise_bus) bus_fault_address_ = address;
}

std::uint32_t SystemSpace::read(std::uint32_t offset) {
  if (offset >= systick_begin && offset < systick_end) {
    ++time_reads_;
    return systick_.read(offset - systick_begin, time_.cycles());
  }
  if (offset >= nvic_begin && offset < nvic_end) return nvic_.read(offset - 0xE000);
  if ((offset >= debug_begin && offset < debug_end) || offset == dfsr ||
      (offset >= fpb_begin && offset < fpb_end))
    return requests_.read_debug(offset);
  if (core_registers_.holds(offset)) return core_registers_.read(offset);
  if (offset == dwt_lsr) return watchpoint_lock_ ? 1 | (watchpoint_locked_ ? 2 : 0) : 0;
  if (offset == dwt_ctrl) return watchpoint_control_ | (cycle_counter_ ? 0 : dwt_no_counter);
  if (offset == dwt_cyccnt) {
    ++time_reads_;
    if (!cycle_counter_) return 0;
    return watchpoint_control_ & 1
               ? static_cast<std::uint32_t>(time_.cycles() - cycle_counter_zero_)
               : cycle_counter_stopped_;
  }
  if (offset == part_.debug_idcode_address - private_base) return part_.debug_idcode;
  return offset >= 0xE000 && offset < 0xF000 ? read_control(offset) : read_identification(offset);
}

std::uint32_t SystemSpace::read_control(std::uint32_t offset) {
  switch (offset) {
    case 0xE004:
      return Nvic::irq_count / 32 - 1;  // ICTR
    case cpuid_register:
      return part_.cpuid;
    case icsr:
      return read_interrupt_state();
    case vtor:
      return vector_table_;
    case aircr:
      return 0xFA050000 | nvic_.priority_group() << 8;
    case scr:
      return system_control_;
    case ccr:
      return configuration_;
    case shcsr:
      return handler_control_;
    case cfsr:
      return fault_status_;
    case hfsr:
      return hard_fault_status_;
    case mmfar:
    case bfar:
      return bus_fault_address_;
    case cpacr:
      return coprocessor_access_;
    case fpccr:
      return fpu_context_;
    case mvfr0:
      return fpu_ ? 0x10110021 : 0;
    case mvfr1:
      return fpu_ ? 0x11000011 : 0;
    default:
      return offset >= shpr1 && offset <= shpr3 ? read_priorities(offset) : 0;
  }
}

std::uint32_t SystemSpace::read_interrupt_state() const {
  const auto current = static_cast<std::uint32_t>(nvic_.current());
  const auto highest = static_cast<std::uint32_t>(nvic_.highest_pending());
  return current | (nvic_.nesting() <= 1 ? 1u << 11 : 0) | highest << 12 |
         (highest >= exception_first_irq ? 1u << 22 : 0) |
         (nvic_.is_pending(exception_systick) ? 1u << 26 : 0) |
         (nvic_.is_pending(exception_pendsv) ? 1u << 28 : 0) |
         (nvic_.is_pending(exception_nmi) ? 1u << 31 : 0);
}

void SystemSpace::write_interrupt_state(std::uint32_t value) {
  if (value & 1u << 31) nvic_.set_pending(exception_nmi, true);
  if (value & 1u << 28) nvic_.set_pending(exception_pendsv, true);
  if (value & 1u << 27) nvic_.set_pending(exception_pendsv, false);
  if (value & 1u << 26) nvic_.set_pending(exception_systick, true);
  if (value & 1u << 25) nvic_.set_pending(exception_systick, false);
}

std::uint32_t SystemSpace::read_priorities(std::uint32_t offset) const {
  std::uint32_t word = 0;
  for (std::uint32_t i = 0; i < 4; ++i)
    word |= static_cast<std::uint32_t>(nvic_.priority(static_cast<int>(offset - shpr1 + 4 + i)))
            << 8 * i;
  return word;
}

void SystemSpace::write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) {
  if (offset >= systick_begin && offset < systick_end) {
    systick_.write(offset - systick_begin, value, time_.cycles());
    requests_.interrupts_changed();
  } else if (offset >= nvic_begin && offset < nvic_end) {
    nvic_.write(offset - 0xE000, value, lanes);
    requests_.interrupts_changed();
  } else if ((offset >= debug_begin && offset < debug_end) || offset == dfsr ||
             (offset >= fpb_begin && offset < fpb_end)) {
    requests_.write_debug(offset, value);
  } else if (core_registers_.holds(offset)) {
    core_registers_.write(offset, value, lanes);
  } else if (write_watchpoint(offset, value)) {
    return;
  } else if (offset >= 0xE000 && offset < 0xF000) {
    write_control(offset, value, lanes);
  }
}

// True when the register is the watchpoint unit's. On silicon a debugger's writes pass its lock;
// here nobody's do, and no debugger that drives these boards writes there.
bool SystemSpace::write_watchpoint(std::uint32_t offset, std::uint32_t value) {
  constexpr std::uint32_t key = 0xC5ACCE55;
  if (offset == dwt_lar) {
    if (watchpoint_lock_) watchpoint_locked_ = value != key;
  } else if (offset == dwt_ctrl && !watchpoint_locked_) {
    const auto counted = static_cast<std::uint32_t>(time_.cycles() - cycle_counter_zero_);
    if ((watchpoint_control_ & 1) && !(value & 1)) cycle_counter_stopped_ = counted;
    if (!(watchpoint_control_ & 1) && (value & 1))
      cycle_counter_zero_ = time_.cycles() - cycle_counter_stopped_;
    watchpoint_control_ = value & 1;
  } else if (offset == dwt_cyccnt && !watchpoint_locked_) {
    cycle_counter_zero_ = time_.cycles() - value;
    cycle_counter_stopped_ = value;
  }
  return offset >= dwt_ctrl && offset < fpb_begin;
}

void SystemSpace::write_control(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) {
  switch (offset) {
    case icsr:
      write_interrupt_state(value);
      requests_.interrupts_changed();
      break;
    case vtor:
      if (mainline_) vector_table_ = value & 0x3FFFFF80;
      break;
    case aircr:
      if (value >> 16 != 0x05FA) break;
      if (mainline_) nvic_.set_priority_group(value >> 8 & 7);
      if (value & 5) requests_.system_reset();  // SYSRESETREQ, or VECTRESET
      break;
    case scr:
      system_control_ = merge_lanes(system_control_, value, lanes) & 0x16;
      break;
    case ccr:
      configuration_ =
          core_registers_.allowed_configuration(merge_lanes(configuration_, value, lanes));
      break;
    case shcsr:
      handler_control_ = merge_lanes(handler_control_, value, lanes) & 0x70000;
      for (int i = 0; i < 3; ++i)
        nvic_.enable_system_handler(static_cast<int>(handlers[i]),
                                    handler_control_ >> (16 + i) & 1);
      break;
    case cfsr:
      fault_status_ &= ~(value & lanes);
      break;
    case hfsr:
      hard_fault_status_ &= ~(value & lanes);
      break;
    case cpacr:
      if (fpu_) coprocessor_access_ = merge_lanes(coprocessor_access_, value, lanes) & 0x00F00000;
      break;
    case fpccr:
      fpu_context_ = merge_lanes(fpu_context_, value, lanes);
      break;
    case stir:
      nvic_.set_pending(exception_first_irq + static_cast<int>(value & 0xFF) % Nvic::irq_count,
                        true);
      requests_.interrupts_changed();
      break;
    default:
      if (offset < shpr1 || offset > shpr3) break;
      for (std::uint32_t i = 0; i < 4; ++i)
        if (lanes >> 8 * i & 1)
          nvic_.set_priority(static_cast<int>(offset - shpr1 + 4 + i),
                             static_cast<std::uint8_t>(value >> 8 * i));
  }
}

// The ROM table at 0xE00FF000 with one entry, the system control space, and the component ids of a
// Cortex-M ROM table (CoreSight architecture, class 1).
std::uint32_t SystemSpace::read_identification(std::uint32_t offset) const {
  switch (offset) {
    case rom_table:
      return 0xFFF0F003;
    case rom_table + 0xFCC:
      return 1;  // MEMTYPE
    case rom_table + 0xFD0:
      return 0x04;
    case rom_table + 0xFE0:
      return mainline_ ? 0x13 : 0x71;
    case rom_table + 0xFE4:
      return mainline_ ? 0x04 : 0xB4;
    case rom_table + 0xFE8:
      return 0x0A;
    case rom_table + 0xFF0:
      return 0x0D;
    case rom_table + 0xFF4:
      return 0x10;
    case rom_table + 0xFF8:
      return 0x05;
    case rom_table + 0xFFC:
      return 0xB1;
    default:
      return 0;
  }
}

}  // namespace assay::virtual_board
