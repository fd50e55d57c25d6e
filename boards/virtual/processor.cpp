#include "boards/virtual/processor.hpp"

#include <algorithm>

namespace assay::virtual_board {

Processor::Processor(Surroundings surroundings, const CycleModel& model,
                     SystemSpace::Requests requests)
    : part_(surroundings.part),
      memory_(surroundings.memory),
      flash_(surroundings.flash),
      attention_(surroundings.attention),
      rcc_(surroundings.rcc),
      model_(model),
      engine_(part_.core.engine_model),
      code_(memory_, part_, model_),
      counter_(code_, model_),
      data_lines_(part_.flash_timing ? part_.flash_timing->data_lines : std::nullopt),
      system_(part_, *this, std::move(requests)),
      idle_(memory_, engine_) {
  memory_.attach(private_base, private_size, system_);
  map_memory();
  install_hooks();
}

void Processor::map_memory() {
  for (Bank& bank : memory_.banks()) {
    const auto size = static_cast<std::uint32_t>(bank.bytes.size());
    const std::uint32_t permissions = bank.kind == BankKind::ram     ? UC_PROT_ALL
                                      : bank.kind == BankKind::flash ? UC_PROT_READ | UC_PROT_EXEC
                                                                     : UC_PROT_READ;
    engine_.map(bank.base, size, permissions, bank.bytes.data());
    if (&bank == &memory_.flash_bank() && memory_.flash_alias())
      engine_.map(*memory_.flash_alias(), size, permissions, bank.bytes.data());
  }
}

void Processor::reset() {
  system_.reset();
  const std::uint32_t table = system_.vector_table();
  engine_.set_reg(UC_ARM_REG_IPSR, 0);
  engine_.set_reg(UC_ARM_REG_CONTROL, 0);
  engine_.set_reg(UC_ARM_REG_PRIMASK, 0);
  if (system_.mainline()) {
    engine_.set_reg(UC_ARM_REG_BASEPRI, 0);
    engine_.set_reg(UC_ARM_REG_FAULTMASK, 0);
  }
  engine_.set_reg(UC_ARM_REG_SP, memory_.read(table, 4).value_or(0) & ~3u);
  engine_.set_reg(UC_ARM_REG_LR, 0xFFFFFFFF);
  engine_.set_reg(UC_ARM_REG_XPSR_NZCVQG, 1u << 24);
  engine_.set_reg(UC_ARM_REG_APSR_NZCV, 0);
  const std::uint32_t entry = memory_.read(table + 4, 4).value_or(0);
  pc_ = entry & ~1u;
  running_ = nullptr;
  counter_.forget_flow();
  data_lines_.forget();
  follow_clock();
  next_event_ = 0;
  stop_wanted_ = false;
  idle_.restart();
  state_ = RunState::running;
  // A vector without the Thumb bit (erased flash, zeros) faults at the first instruction and again
  // in the fault handler: lockup. 0xFFFFFFFF has the bit but no memory behind it.
  if (!(entry & 1) || !memory_.find(pc_, 2)) lock_up();
}

void Processor::halt(HaltReason reason) {
  if (state_ == RunState::halted) return;
  state_ = RunState::halted;
  halt_reasons_ |= reason;
}

void Processor::resume() {
  if (state_ != RunState::halted) return;
  state_ = RunState::running;
  next_event_ = 0;
  idle_.restart();
}

std::uint32_t Processor::take_halt_reasons(std::uint32_t mask) {
  const std::uint32_t reasons = halt_reasons_;
  halt_reasons_ &= ~mask;
  return reasons;
}

void Processor::set_breakpoints(std::vector<std::uint32_t> addresses) {
  breakpoints_ = std::move(addresses);
}

void Processor::note_debug_write(std::uint32_t address, std::uint32_t size) {
  idle_.note_activity();
  if (state_ == RunState::sleeping) wake(false);
  written_first_ = std::min(written_first_, address);
  written_last_ = std::max(written_last_, address + size);
}

// The engine does not see code that the debugger or the flash controller changed.
void Processor::refresh_code() {
  if (written_first_ < written_last_) engine_.forget_code(written_first_, written_last_);
  written_first_ = ~0u;
  written_last_ = 0;
  if (const auto changed = flash_.take_changes()) {
    if (const auto alias = memory_.flash_alias())
      engine_.forget_code(*alias + changed->first, *alias + changed->second);
    const std::uint32_t base = memory_.flash_bank().base;
    engine_.forget_code(base + changed->first, base + changed->second);
    code_.forget_flash();
  }
}

std::optional<std::uint64_t> Processor::next_event() const {
  if (next_event_ == ~std::uint64_t{0}) return std::nullopt;
  return next_event_;
}

bool Processor::process_events() {
  const std::uint64_t now = counter_.cycles();
  bool byte_came = false;
  Nvic& nvic = system_.nvic();
  if (system_.systick().take_interrupt(now)) nvic.set_pending(exception_systick, true);
  next_event_ = system_.systick().next_interrupt().value_or(~std::uint64_t{0});
  for (Usart* usart : usarts_) {
    const std::uint64_t activity = usart->activity();
    usart->service(now);
    byte_came |= usart->activity() != activity;
    nvic.set_line(usart->block().interrupt, usart->interrupt_requested());
    if (const auto event = usart->next_event()) next_event_ = std::min(next_event_, *event);
  }
  return byte_came;
}

// Before every block, when there may be a reason not to run it.
bool Processor::must_stop() {
  if (attention_.load() & attention_input) {
    attention_.fetch_and(~attention_input);
    idle_.restart();
    next_event_ = 0;
  }
  if (counter_.cycles() >= next_event_) process_events();
  return stop_wanted_ || (attention_.load() & attention_access_mask) ||
         wants_to_watch_reads() != watching_reads_ ||
         (system_.nvic().any_pending() && system_.nvic().next(masks()));
}

// A byte that is already at the UART is not waited for in real time: modelled time goes on to its
// arrival. Only for SysTick the board sleeps as long as the silicon would. A byte that comes in
// this very moment the program sees first: time must not go on to the next one over its head.
void Processor::fall_asleep() {
  if (process_events() || system_.nvic().wakes(masks())) return;
  std::optional<std::uint64_t> arrival;
  for (const Usart* usart : usarts_)
    if (const auto event = usart->next_event(); event && event <= next_event_) arrival = event;
  if (arrival) {
    counter_.advance_to(*arrival);
    next_event_ = 0;
    idle_.restart();
    return;
  }
  if (attention_.load() & attention_input) return;
  state_ = RunState::sleeping;
}

void Processor::wake(bool at_event) {
  if (state_ != RunState::sleeping) return;
  if (at_event && next_event()) counter_.advance_to(next_event_);
  attention_.fetch_and(~attention_input);
  next_event_ = 0;
  process_events();
  idle_.restart();
  state_ = RunState::running;
}

void Processor::stop_engine() {
  stopping_ = true;
  engine_.stop();
}

void Processor::run() {
  while (state_ == RunState::running) {
    if (stop_wanted_ || (attention_.load() & attention_access_mask)) return;
    process_events();
    take_pending();
    if (state_ == RunState::running) run_engine(Engine::no_end);
  }
}

// The other interrupts stay pending, as with DHCSR.C_MASKINTS. A branch ends its block and the next
// block is not let in; any other instruction stops at the one behind it.
void Processor::step() {
  std::uint32_t size = 2;
  if (const auto first = memory_.read(pc_, 2))
    size = is_wide(static_cast<std::uint16_t>(*first)) ? 4 : 2;
  const std::uint32_t end = pc_ + size;
  engine_.forget_code(pc_, end);
  stepping_ = true;
  state_ = RunState::running;
  run_engine(end);
  stepping_ = false;
  engine_.forget_code(end - size, end);
  if (state_ != RunState::locked_up) state_ = RunState::halted;
  halt_reasons_ |= halt_request;
}

void Processor::run_engine(std::uint64_t until) {
  refresh_code();
  watch_reads_of_window();
  stopping_ = idle_found_ = invalid_instruction_ = false;
  interrupt_.reset();
  fault_.reset();
  policed_.reset();
  running_ = nullptr;
  const uc_err error = engine_.start(pc_, until);
  undo_plain_store();
  pc_ = engine_.reg(UC_ARM_REG_PC) & ~1u;
  if (policed_ && policed_->at != pc_) return run_up_to_policed();
  after_stop(error, until);
}

// Instructions that must not run, and breakpoints: the block stops in front of the first of them.
bool Processor::policed(const Block& block) {
  const auto at = [&](int index) {
    return block.address + block.offsets[static_cast<std::size_t>(index)];
  };
  std::optional<PendingFault> first;
  if (block.undefined >= 0) first = {fault_undefined, 0, at(block.undefined)};
  if (block.floating >= 0 && !system_.fpu_enabled() && (!first || at(block.floating) < first->at))
    first = {fault_no_coprocessor, 0, at(block.floating)};
  for (std::uint32_t breakpoint : breakpoints_) {
    const bool inside = breakpoint - block.address < block.size;
    if (!stepping_ && inside && (!first || breakpoint <= first->at)) first = {0, 0, breakpoint};
  }
  policed_ = first;
  return first.has_value();
}

// The engine translates anew, this time only up to the instruction in question. If something else
// stops it on the way the block simply runs again later.
void Processor::run_up_to_policed() {
  const std::uint32_t first = pc_;
  const std::uint32_t target = policed_->at;
  const PendingFault wanted = *policed_;
  engine_.forget_code(first, target + 4);
  run_engine(target);
  engine_.forget_code(first, target + 4);
  if (pc_ != target || state_ != RunState::running) return;
  policed_ = wanted;
  wanted.status ? raise_fault(wanted) : halt(halt_breakpoint);
}

// What ended a run of the engine, and what the processor does about it.
void Processor::after_stop(uc_err error, std::uint64_t until) {
  constexpr std::uint32_t engine_svc = 2, engine_alignment = 4, engine_breakpoint = 7,
                          engine_exception_return = 8;
  constexpr std::uint32_t first_exc_return = 0xFFFFFF00;
  if (interrupt_) {
    switch (*interrupt_) {
      case engine_svc:
        return enter_exception(exception_svc, pc_);
      case engine_breakpoint:
        return halt(halt_breakpoint);
      case engine_exception_return:
        return leave_exception(pc_ | 1);
      case engine_alignment:
        return raise_fault({fault_unaligned, 0, pc_});
      default:
        return raise_fault({fault_undefined, 0, pc_});
    }
  }
  if (fault_) {
    if (pc_ >= first_exc_return && system_.nvic().nesting() > 0) return leave_exception(pc_ | 1);
    return raise_fault(*fault_);
  }
  if (policed_) return policed_->status ? raise_fault(*policed_) : halt(halt_breakpoint);
  if (invalid_instruction_) {
    // WFE and YIELD end a block as if they were invalid, with PC already behind them.
    const std::uint32_t before = memory_.read(pc_ - 2, 2).value_or(0);
    constexpr std::uint32_t wfe = 0xBF20, yield = 0xBF10;
    if (before != wfe && before != yield) raise_fault({fault_undefined, 0, pc_});
    return;
  }
  if (error != UC_ERR_OK) return raise_fault({fault_undefined, 0, pc_});
  if (idle_found_) return fall_asleep();
  // Returned without being asked: WFI.
  if (!stopping_ && pc_ != until) fall_asleep();
}

}  // namespace assay::virtual_board
