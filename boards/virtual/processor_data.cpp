// What loads cost beyond their instructions: wait states of data in flash, misses of a data cache,
// and addresses that are not aligned. Watching loads is slow, so it is done between the markers
// only: in the windows whose cycles are anybody's business.
#include "boards/virtual/processor.hpp"

namespace assay::virtual_board {

void Processor::follow_clock() {
  if (part_.flash_timing)
    code_.set_wait_states(part_.flash_timing->wait_states_at(rcc_.core_clock()));
}

bool Processor::wants_to_watch_reads() const {
  const auto& timing = part_.flash_timing;
  const bool misses_cost =
      timing && timing->data_lines &&
      (timing->data_lines->miss_cycles != 0 || !timing->data_lines->shared.empty());
  return counter_.window_open() &&
         (code_.wait_states() != 0 || misses_cost || model_.unaligned_load() != 0);
}

// The engine watches only what it translates after it was told to.
void Processor::watch_reads_of_window() {
  const bool wanted = wants_to_watch_reads();
  if (wanted == watching_reads_) return;
  watching_reads_ = wanted;
  if (wanted)
    engine_.watch_reads(reinterpret_cast<void*>(read_hook), this);
  else
    engine_.stop_watching_reads();
  for (const Bank& bank : memory_.banks())
    if (bank.kind != BankKind::rom)
      engine_.forget_code(bank.base, bank.base + static_cast<std::uint32_t>(bank.bytes.size()));
  if (const auto alias = memory_.flash_alias())
    engine_.forget_code(*alias,
                        *alias + static_cast<std::uint32_t>(memory_.flash_bank().bytes.size()));
}

void Processor::read_hook(uc_engine*, uc_mem_type, std::uint64_t address, int size, std::int64_t,
                          void* self) {
  static_cast<Processor*>(self)->on_read(static_cast<std::uint32_t>(address),
                                         static_cast<std::uint32_t>(size));
}

void Processor::on_read(std::uint32_t address, std::uint32_t size) {
  if (address & (size - 1)) counter_.add_cycles(model_.unaligned_load());
  const std::uint32_t resolved = memory_.resolve(address);
  if (const auto cost = cost_of_miss(resolved); cost && data_lines_.misses(resolved))
    counter_.add_cycles(*cost);
}

// Nothing: of memory that no lines stand before.
std::optional<std::uint32_t> Processor::cost_of_miss(std::uint32_t address) {
  const Bank& flash = memory_.flash_bank();
  const auto& timing = part_.flash_timing;
  const bool has_lines = timing && timing->data_lines;
  if (address - flash.base < flash.bytes.size())
    return code_.wait_states() + (has_lines ? timing->data_lines->miss_cycles : 0);
  if (!has_lines) return std::nullopt;
  for (const auto& memory : timing->data_lines->shared)
    if (address - memory.base < memory.size.count()) return memory.miss_cycles;
  return std::nullopt;
}

}  // namespace assay::virtual_board
