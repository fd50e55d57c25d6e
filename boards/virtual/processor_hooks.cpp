// The engine's callbacks: what happens before every block and at every access that is not plain
// memory. An engine must not be stopped inside an access (it would be made twice): a wish to stop
// waits for the next block.
#include <algorithm>

#include "boards/virtual/processor.hpp"

namespace assay::virtual_board {
namespace {

Processor& self_of(void* self) {
  return *static_cast<Processor*>(self);
}

}  // namespace

void Processor::install_hooks() {
  const auto read = [](uc_engine*, std::uint64_t offset, unsigned size, void* self) {
    return self_of(self).read_io(peripheral_base + static_cast<std::uint32_t>(offset), size);
  };
  const auto write = [](uc_engine*, std::uint64_t offset, unsigned size, std::uint64_t value,
                        void* self) {
    self_of(self).write_io(peripheral_base + static_cast<std::uint32_t>(offset), size,
                           static_cast<std::uint32_t>(value));
  };
  const auto read_private = [](uc_engine*, std::uint64_t offset, unsigned size, void* self) {
    return self_of(self).read_io(private_base + static_cast<std::uint32_t>(offset), size);
  };
  const auto write_private = [](uc_engine*, std::uint64_t offset, unsigned size,
                                std::uint64_t value, void* self) {
    self_of(self).write_io(private_base + static_cast<std::uint32_t>(offset), size,
                           static_cast<std::uint32_t>(value));
  };
  engine_.map_io(peripheral_base, peripheral_end - peripheral_base, read, write, this);
  engine_.map_io(private_base, private_size, read_private, write_private, this);
  engine_.hook(UC_HOOK_BLOCK, reinterpret_cast<void*>(block_hook), this);
  engine_.hook(UC_HOOK_INTR, reinterpret_cast<void*>(interrupt_hook), this);
  engine_.hook(UC_HOOK_MEM_READ_UNMAPPED | UC_HOOK_MEM_WRITE_UNMAPPED | UC_HOOK_MEM_FETCH_UNMAPPED |
                   UC_HOOK_MEM_FETCH_PROT,
               reinterpret_cast<void*>(bad_access_hook), this);
  engine_.hook(UC_HOOK_MEM_WRITE_PROT, reinterpret_cast<void*>(protected_write_hook), this);
  engine_.hook(UC_HOOK_INSN_INVALID, reinterpret_cast<void*>(invalid_instruction_hook), this);
}

void Processor::block_hook(uc_engine*, std::uint64_t address, std::uint32_t size, void* self) {
  self_of(self).on_block(static_cast<std::uint32_t>(address), size);
}

void Processor::on_block(std::uint32_t address, std::uint32_t size) {
  if (stopping_) return;
  undo_plain_store();
  const bool may_have_to_stop = stop_wanted_ || attention_.load(std::memory_order_relaxed) != 0 ||
                                counter_.cycles() >= next_event_ || system_.nvic().any_pending();
  if (stepping_ ? running_ != nullptr : may_have_to_stop && must_stop()) return stop_engine();
  const bool in_flash = address - memory_.flash_bank().base < memory_.flash_bank().bytes.size();
  if (flash_.changed() && in_flash) return stop_engine();
  Block& block = code_.find(address, size);
  if (block.undefined >= 0 || block.floating >= 0 || !breakpoints_.empty())
    if (policed(block)) return stop_engine();
  if (!stepping_ && idle_.on_block(address)) {
    idle_found_ = true;
    return stop_engine();
  }
  running_ = &block;
  first_candidate_ = 0;
  counter_.enter(block);
  if (watching_reads_ && model_.charges_literals() && block.in_flash)
    counter_.take_back_cycles(std::uint64_t{block.literals} * code_.wait_states());
  if (block.has_marker) look_at_events();
}

void Processor::interrupt_hook(uc_engine*, std::uint32_t number, void* self) {
  Processor& processor = self_of(self);
  processor.interrupt_ = number;
  processor.stop_engine();
}

bool Processor::invalid_instruction_hook(uc_engine*, void* self) {
  self_of(self).invalid_instruction_ = true;
  return false;
}

bool Processor::bad_access_hook(uc_engine*, uc_mem_type type, std::uint64_t address, int,
                                std::int64_t, void* self) {
  return self_of(self).on_bad_access(type, static_cast<std::uint32_t>(address));
}

// The engine's PC is only that of the block; the instruction is found by the address it forms.
bool Processor::on_bad_access(uc_mem_type type, std::uint32_t address) {
  const bool fetch = type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT;
  if (fetch) {
    fault_ = PendingFault{fault_instruction_bus, 0, address};
    return false;
  }
  std::uint32_t at = running_ ? running_->address : pc_;
  if (const auto index = instruction_accessing(address)) {
    at = running_->address + running_->offsets[*index];
    counter_.cut_short(*running_, *index);
  }
  fault_ = PendingFault{fault_precise_bus, address, at};
  return false;
}

bool Processor::protected_write_hook(uc_engine*, uc_mem_type type, std::uint64_t address, int size,
                                     std::int64_t value, void* self) {
  Processor& processor = self_of(self);
  const auto target = static_cast<std::uint32_t>(address);
  const auto bytes = static_cast<std::uint32_t>(size);
  processor.undo_plain_store();
  processor.idle_.note_activity();
  if (!processor.memory_.write_protected(target, bytes, static_cast<std::uint32_t>(value)))
    return processor.on_bad_access(type, target);
  Bank& flash = processor.memory_.flash_bank();
  FlashStore store{&flash.bytes[processor.memory_.resolve(target) - flash.base], bytes, {}};
  std::copy_n(store.at, bytes, store.bytes.begin());
  processor.flash_store_ = store;
  return true;
}

void Processor::undo_plain_store() {
  if (!flash_store_) return;
  std::copy_n(flash_store_->bytes.begin(), flash_store_->size, flash_store_->at);
  flash_store_.reset();
}

// Which instruction of the running block makes the access: the first, from where the last one was
// found, whose address formed from the live registers is the one accessed.
std::optional<std::uint32_t> Processor::instruction_accessing(std::uint32_t address) const {
  if (!running_) return std::nullopt;
  for (std::uint32_t i = first_candidate_; i < running_->count; ++i) {
    const Addressing& form = running_->code[i].address;
    if (form.base < 0) continue;
    const std::uint32_t base = form.base == 15
                                   ? running_->address + running_->offsets[i]
                                   : engine_.core_register(static_cast<unsigned>(form.base));
    const std::uint32_t index =
        form.index < 0 ? 0 : engine_.core_register(static_cast<unsigned>(form.index));
    if (effective_address(form, base, index) != address) continue;
    first_candidate_ = i + 1;
    return i;
  }
  return std::nullopt;
}

std::uint64_t Processor::cycles() const {
  if (!access_ || !running_) return counter_.cycles();
  if (!access_cycles_) {
    const auto index = instruction_accessing(*access_);
    access_cycles_ = index ? counter_.end_cycle_within(*index + 1) : counter_.cycles();
  }
  return *access_cycles_;
}

std::uint64_t Processor::read_io(std::uint32_t address, std::uint32_t size) {
  undo_plain_store();
  access_ = address;
  access_cycles_.reset();
  const std::uint64_t time_reads = system_.time_reads();
  const std::uint32_t value = memory_.read_peripheral(address, size);
  access_.reset();
  if (system_.time_reads() != time_reads) idle_.note_activity();
  for (const Usart* usart : usarts_)
    if (address - usart->block().base < 0x400) next_event_ = 0;
  return value;
}

void Processor::write_io(std::uint32_t address, std::uint32_t size, std::uint32_t value) {
  undo_plain_store();
  access_ = address;
  access_cycles_.reset();
  memory_.write_peripheral(address, size, value);
  access_.reset();
  follow_clock();
  idle_.note_activity();
  next_event_ = 0;
}

}  // namespace assay::virtual_board
