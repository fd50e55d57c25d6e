#include "boards/virtual/memory.hpp"

#include <algorithm>
#include <cstring>

#include "boards/virtual/flash.hpp"

namespace assay::virtual_board {
namespace {

// RAM after power-up is not zero on silicon; a firmware that relies on zeros must not pass here.
constexpr std::uint8_t ram_pattern = 0xA5;

Bank make_bank(BankKind kind, std::uint32_t base, std::uint64_t size) {
  return {
      kind, base,
      std::vector<std::uint8_t>(size, kind == BankKind::ram ? ram_pattern : std::uint8_t{0xFF})};
}

bool in_peripheral_space(std::uint32_t address) {
  return (address >= peripheral_base && address < peripheral_end) ||
         address - private_base < private_size;
}

std::uint32_t lanes_of(std::uint32_t address, std::uint32_t size) {
  const std::uint32_t mask = size == 4 ? 0xFFFFFFFFu : (1u << 8 * size) - 1;
  return mask << 8 * (address & 3);
}

}  // namespace

MemoryMap::MemoryMap(const Part& part, std::span<const std::uint8_t> unique_id)
    : unique_id_address_(part.unique_id), flash_alias_(part.flash_alias) {
  banks_.push_back(make_bank(BankKind::flash, part.flash().base, part.flash_size().count()));
  for (const MemoryRegion& region : part.memory)
    if (!region.flash) banks_.push_back(make_bank(BankKind::ram, region.base, region.size.count()));
  banks_.push_back(make_bank(BankKind::rom, part.flash_size_register & ~(system_memory_size - 1),
                             system_memory_size));
  const auto kilobytes = static_cast<std::uint16_t>(flash_bank().bytes.size() / 1024);
  Bank& rom = banks_.back();
  if (rom.contains(part.flash_size_register, 2))
    std::memcpy(&rom.bytes[part.flash_size_register - rom.base], &kilobytes, 2);
  set_unique_id(unique_id);
}

void MemoryMap::set_unique_id(std::span<const std::uint8_t> unique_id) {
  Bank& rom = banks_.back();
  if (!unique_id_address_ ||
      !rom.contains(*unique_id_address_, static_cast<std::uint32_t>(unique_id.size())))
    return;
  std::copy(unique_id.begin(), unique_id.end(), &rom.bytes[*unique_id_address_ - rom.base]);
}

std::uint32_t MemoryMap::resolve(std::uint32_t address) const {
  const Bank& flash = banks_.front();
  return flash_alias_ && address - *flash_alias_ < flash.bytes.size()
             ? address - *flash_alias_ + flash.base
             : address;
}

Bank* MemoryMap::find(std::uint32_t address, std::uint32_t size) {
  const std::uint32_t resolved = resolve(address);
  for (Bank& bank : banks_)
    if (bank.contains(resolved, size)) return &bank;
  return nullptr;
}

void MemoryMap::attach(std::uint32_t base, std::uint32_t size, Peripheral& peripheral) {
  attached_.push_back({base, size, &peripheral});
}

MemoryMap::Attached* MemoryMap::attached_at(std::uint32_t address) {
  if (last_attached_ < attached_.size()) {
    Attached& last = attached_[last_attached_];
    if (address - last.base < last.size) return &last;
  }
  for (std::size_t i = 0; i < attached_.size(); ++i) {
    if (address - attached_[i].base >= attached_[i].size) continue;
    last_attached_ = i;
    return &attached_[i];
  }
  return nullptr;
}

std::uint32_t MemoryMap::read_peripheral(std::uint32_t address, std::uint32_t size) {
  const std::uint32_t aligned = address & ~3u;
  Attached* attached = attached_at(aligned);
  const std::uint32_t word =
      attached ? attached->peripheral->read(aligned - attached->base) : other_.read(aligned);
  const std::uint32_t shifted = word >> 8 * (address & 3);
  return size == 4 ? shifted : shifted & ((1u << 8 * size) - 1);
}

void MemoryMap::write_peripheral(std::uint32_t address, std::uint32_t size, std::uint32_t value) {
  const std::uint32_t aligned = address & ~3u;
  const std::uint32_t shifted = value << 8 * (address & 3);
  const std::uint32_t lanes = lanes_of(address, size);
  if (Attached* attached = attached_at(aligned))
    attached->peripheral->write(aligned - attached->base, shifted, lanes);
  else
    other_.write(aligned, shifted, lanes);
}

bool MemoryMap::write_protected(std::uint32_t address, std::uint32_t size, std::uint32_t value) {
  const std::uint32_t resolved = resolve(address);
  Bank& flash = flash_bank();
  if (!flash_controller_ || !flash.contains(resolved, size)) return false;
  flash_controller_->program(resolved - flash.base, size, value);
  return true;
}

std::optional<std::uint32_t> MemoryMap::read(std::uint32_t address, std::uint32_t size) {
  if (const Bank* bank = find(address, size)) {
    std::uint32_t value = 0;
    std::memcpy(&value, &bank->bytes[resolve(address) - bank->base], size);
    return value;
  }
  if (in_peripheral_space(address)) return read_peripheral(address, size);
  return std::nullopt;
}

bool MemoryMap::write(std::uint32_t address, std::uint32_t size, std::uint32_t value) {
  if (Bank* bank = find(address, size)) {
    if (bank->kind != BankKind::ram) return write_protected(address, size, value);
    std::memcpy(&bank->bytes[resolve(address) - bank->base], &value, size);
    return true;
  }
  if (!in_peripheral_space(address)) return false;
  write_peripheral(address, size, value);
  return true;
}

void MemoryMap::reset_peripherals() {
  for (Attached& attached : attached_)
    attached.peripheral->reset();
  other_.reset();
}

void MemoryMap::lose_power() {
  for (Bank& bank : banks_)
    if (bank.kind == BankKind::ram) std::fill(bank.bytes.begin(), bank.bytes.end(), ram_pattern);
  for (Attached& attached : attached_)
    attached.peripheral->lose_power();
}

}  // namespace assay::virtual_board
