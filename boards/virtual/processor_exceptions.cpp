// Taking and leaving exceptions (Armv7-M ARM B1.5.6 to B1.5.8) and what becomes of faults.
#include "boards/virtual/processor.hpp"

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t basic_frame = 0x20, float_frame = 0x68;
constexpr std::uint32_t xpsr_thumb = 1u << 24, xpsr_aligned = 1u << 9, xpsr_exception = 0x1FF;
constexpr std::uint32_t control_psp = 2, control_float = 4;
constexpr int stacked_registers[] = {UC_ARM_REG_R0, UC_ARM_REG_R1,  UC_ARM_REG_R2,
                                     UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};

}  // namespace

PriorityMasks Processor::masks() const {
  PriorityMasks masks;
  masks.primask = engine_.reg(UC_ARM_REG_PRIMASK) & 1;
  if (!system_.mainline()) return masks;
  masks.faultmask = engine_.reg(UC_ARM_REG_FAULTMASK) & 1;
  masks.basepri = static_cast<std::uint8_t>(engine_.reg(UC_ARM_REG_BASEPRI));
  return masks;
}

void Processor::take_pending() {
  if (!system_.nvic().any_pending()) return;
  if (const auto exception = system_.nvic().next(masks())) enter_exception(*exception, pc_);
}

bool Processor::push_frame(std::uint32_t frame, std::uint32_t xpsr, std::uint32_t return_address,
                           bool with_float) {
  bool stored = true;
  std::uint32_t at = frame;
  const auto push = [&](std::uint32_t value) {
    stored = stored && memory_.write(at, 4, value);
    at += 4;
  };
  for (int number : stacked_registers)
    push(engine_.reg(number));
  push(return_address);
  push(xpsr);
  if (!with_float) return stored;
  for (int i = 0; i < 16; ++i)
    push(engine_.reg(UC_ARM_REG_S0 + i));
  push(engine_.reg(UC_ARM_REG_FPSCR));
  return stored;
}

void Processor::enter_exception(int exception, std::uint32_t return_address) {
  const std::uint32_t xpsr = engine_.reg(UC_ARM_REG_XPSR);
  const std::uint32_t control = engine_.reg(UC_ARM_REG_CONTROL);
  const bool in_handler = xpsr & xpsr_exception;
  const bool on_psp = (control & control_psp) && !in_handler;
  const bool with_float = part_.core.fpu && (control & control_float);
  const std::uint32_t unaligned =
      engine_.reg(UC_ARM_REG_SP) - (with_float ? float_frame : basic_frame);
  const std::uint32_t frame = unaligned & ~7u;
  const std::uint32_t saved =
      (xpsr & ~xpsr_aligned) | (unaligned & 4 ? xpsr_aligned : 0) | xpsr_thumb;
  if (!push_frame(frame, saved, return_address, with_float)) {
    system_.note_fault(fault_stacking, 0);
    return lock_up();
  }
  engine_.set_reg(UC_ARM_REG_SP, frame);
  const std::uint32_t mode = in_handler ? 0x1 : on_psp ? 0xD : 0x9;
  // Handler mode and the banked stack follow the exception number; writing the flags afterwards
  // makes the engine recompute the state it derives from them.
  engine_.set_reg(UC_ARM_REG_XPSR_NZCVQG,
                  (xpsr & 0xF80F0000) | xpsr_thumb | static_cast<std::uint32_t>(exception));
  if (with_float)
    engine_.set_reg(UC_ARM_REG_CONTROL, engine_.reg(UC_ARM_REG_CONTROL) & ~control_float);
  engine_.set_reg(UC_ARM_REG_LR, 0xFFFFFFE0 | mode | (with_float ? 0 : 0x10));
  engine_.set_reg(UC_ARM_REG_APSR_NZCV, xpsr & 0xF0000000);
  system_.nvic().activate(exception);
  counter_.break_flow(pc_);
  counter_.add_cycles(model_.exception());
  const std::uint32_t vector =
      memory_.read(system_.vector_table() + 4 * static_cast<std::uint32_t>(exception), 4)
          .value_or(0);
  pc_ = vector & ~1u;
  if (!(vector & 1)) raise_fault({fault_state, 0, pc_});
}

std::optional<std::uint32_t> Processor::pop_frame(std::uint32_t frame, bool with_float) {
  std::uint32_t at = frame;
  bool loaded = true;
  const auto pop = [&] {
    const auto value = memory_.read(at, 4);
    loaded = loaded && value.has_value();
    at += 4;
    return value.value_or(0);
  };
  for (int number : stacked_registers)
    engine_.set_reg(number, pop());
  pc_ = pop() & ~1u;
  const std::uint32_t xpsr = pop();
  if (with_float) {
    for (int i = 0; i < 16; ++i)
      engine_.set_reg(UC_ARM_REG_S0 + i, pop());
    engine_.set_reg(UC_ARM_REG_FPSCR, pop());
  }
  if (!loaded) return std::nullopt;
  return xpsr;
}

void Processor::leave_exception(std::uint32_t exc_return) {
  Nvic& nvic = system_.nvic();
  const bool to_thread = exc_return & 8;
  const bool on_psp = exc_return & 4;
  const bool with_float = part_.core.fpu && !(exc_return & 0x10);
  const int leaving = nvic.current();
  if (leaving == 0) return raise_fault({fault_exception_return, 0, pc_});
  nvic.deactivate(leaving);
  counter_.break_flow(pc_);
  if (leaving != exception_nmi && system_.mainline()) engine_.set_reg(UC_ARM_REG_FAULTMASK, 0);
  engine_.set_reg(UC_ARM_REG_IPSR, to_thread ? 0 : static_cast<std::uint32_t>(nvic.current()));
  const std::uint32_t control = engine_.reg(UC_ARM_REG_CONTROL) & ~(control_psp | control_float);
  if (to_thread)
    engine_.set_reg(UC_ARM_REG_CONTROL,
                    control | (on_psp ? control_psp : 0) | (with_float ? control_float : 0));
  const std::uint32_t frame = engine_.reg(UC_ARM_REG_SP);
  const auto xpsr = pop_frame(frame, with_float);
  if (!xpsr) return lock_up();
  std::uint32_t stack = frame + (with_float ? float_frame : basic_frame);
  if (*xpsr & xpsr_aligned) stack |= 4;
  engine_.set_reg(UC_ARM_REG_SP, stack);
  engine_.set_reg(UC_ARM_REG_XPSR_NZCVQG, *xpsr & ~xpsr_aligned);
  engine_.set_reg(UC_ARM_REG_APSR_NZCV, *xpsr & 0xF0000000);
  counter_.add_cycles(model_.exception());
  next_event_ = 0;
}

// A fault whose own handler is off, or cannot preempt, becomes a hard fault; one in the hard fault
// handler or above locks the core up (B1.5.14, B1.5.15). Armv6-M has only the hard fault.
void Processor::raise_fault(const PendingFault& fault) {
  Nvic& nvic = system_.nvic();
  if (system_.mainline()) system_.note_fault(fault.status, fault.address);
  const int own = fault.status >= fault_undefined         ? exception_usage
                  : fault.status >= fault_instruction_bus ? exception_bus
                                                          : exception_memory;
  const PriorityMasks masked = masks();
  if (system_.mainline() && nvic.is_enabled(own) && nvic.can_take(own, masked))
    return enter_exception(own, fault.at);
  if (nvic.execution_priority(masked) <= -1) return lock_up();
  if (system_.mainline()) system_.note_forced_hard_fault();
  enter_exception(exception_hard_fault, fault.at);
}

void Processor::lock_up() {
  state_ = RunState::locked_up;
}

// DCRSR numbers: 0 to 15 registers, 16 xPSR, 17 MSP, 18 PSP, 20 CONTROL to PRIMASK, 33 FPSCR, 64 on
// S0 to S31.
std::uint32_t Processor::debug_register(unsigned selector) const {
  if (selector == 15) return pc_;
  if (selector < 15) return engine_.core_register(selector);
  if (selector >= 64 && selector < 96)
    return engine_.reg(UC_ARM_REG_S0 + static_cast<int>(selector - 64));
  const bool mainline = system_.mainline();
  switch (selector) {
    case 16:
      return engine_.reg(UC_ARM_REG_XPSR) | xpsr_thumb;
    case 17:
      return engine_.reg(UC_ARM_REG_MSP);
    case 18:
      return engine_.reg(UC_ARM_REG_PSP);
    case 20:
      return engine_.reg(UC_ARM_REG_CONTROL) << 24 |
             (mainline ? (engine_.reg(UC_ARM_REG_FAULTMASK) & 1) << 16 |
                             (engine_.reg(UC_ARM_REG_BASEPRI) & 0xFF) << 8
                       : 0) |
             (engine_.reg(UC_ARM_REG_PRIMASK) & 1);
    case 33:
      return part_.core.fpu ? engine_.reg(UC_ARM_REG_FPSCR) : 0;
    default:
      return 0;
  }
}

void Processor::set_debug_register(unsigned selector, std::uint32_t value) {
  if (selector == 15) {
    counter_.break_flow(pc_);
    pc_ = value & ~1u;
  } else if (selector < 15) {
    engine_.set_core_register(selector, value);
  } else if (selector >= 64 && selector < 96) {
    engine_.set_reg(UC_ARM_REG_S0 + static_cast<int>(selector - 64), value);
  } else if (selector == 16) {
    engine_.set_reg(UC_ARM_REG_XPSR_NZCVQG, value | xpsr_thumb);
    engine_.set_reg(UC_ARM_REG_APSR_NZCV, value & 0xF0000000);
  } else if (selector == 17) {
    engine_.set_reg(UC_ARM_REG_MSP, value);
  } else if (selector == 18) {
    engine_.set_reg(UC_ARM_REG_PSP, value);
  } else if (selector == 20) {
    engine_.set_reg(UC_ARM_REG_CONTROL, value >> 24);
    engine_.set_reg(UC_ARM_REG_PRIMASK, value & 1);
    if (system_.mainline()) {
      engine_.set_reg(UC_ARM_REG_FAULTMASK, value >> 16 & 1);
      engine_.set_reg(UC_ARM_REG_BASEPRI, value >> 8 & 0xFF);
    }
  } else if (selector == 33 && part_.core.fpu) {
    engine_.set_reg(UC_ARM_REG_FPSCR, value);
  }
}

}  // namespace assay::virtual_board
