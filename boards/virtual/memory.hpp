// The memory map of one chip as the processor and the debugger see it: RAM, flash with its
// controller behind stores, read-only system memory (unique id, flash size), and peripherals. Used
// by one thread at a time (the board's lock is held).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "boards/virtual/peripheral.hpp"
#include "harness/core/part.hpp"

namespace assay::virtual_board {

class FlashController;

enum class BankKind { ram, flash, rom };

/// One piece of memory; its host bytes never move.
struct Bank {
  BankKind kind = BankKind::ram;
  std::uint32_t base = 0;
  std::vector<std::uint8_t> bytes;

  bool contains(std::uint32_t address, std::uint32_t size) const {
    const std::uint32_t offset = address - base;
    return offset < bytes.size() && bytes.size() - offset >= size;
  }
};

constexpr std::uint32_t peripheral_base = 0x40000000;
constexpr std::uint32_t peripheral_end = 0x60000000;
constexpr std::uint32_t private_base = 0xE0000000;  ///< private peripheral bus
constexpr std::uint32_t private_size = 0x00100000;
constexpr std::uint32_t system_memory_size = 0x00010000;  ///< around the flash size register

class MemoryMap {
 public:
  /// Banks of `part`, RAM cleared, flash erased (one bank, however many regions divide it), system
  /// memory with the flash size and `unique_id`.
  MemoryMap(const Part& part, std::span<const std::uint8_t> unique_id);

  std::vector<Bank>& banks() { return banks_; }
  Bank& flash_bank() { return banks_.front(); }
  /// Bank of an address; the alias of flash is resolved. nullptr: none.
  Bank* find(std::uint32_t address, std::uint32_t size);
  /// The address with the alias of flash replaced by the flash it shows.
  std::uint32_t resolve(std::uint32_t address) const;
  /// Where flash also appears; nothing: nowhere.
  std::optional<std::uint32_t> flash_alias() const { return flash_alias_; }

  void attach(std::uint32_t base, std::uint32_t size, Peripheral& peripheral);
  void attach_flash(FlashController& controller) { flash_controller_ = &controller; }
  RegisterFile& other_registers() { return other_; }

  /// One aligned access of 1, 2 or 4 bytes as the debugger makes it; nothing: a bus fault.
  std::optional<std::uint32_t> read(std::uint32_t address, std::uint32_t size);
  bool write(std::uint32_t address, std::uint32_t size, std::uint32_t value);

  /// A processor's access to peripheral space.
  std::uint32_t read_peripheral(std::uint32_t address, std::uint32_t size);
  void write_peripheral(std::uint32_t address, std::uint32_t size, std::uint32_t value);
  /// A store to a read-only bank: programs flash; false: a bus fault.
  bool write_protected(std::uint32_t address, std::uint32_t size, std::uint32_t value);

  /// Resets every attached peripheral and the registers without behaviour.
  void reset_peripherals();
  /// Power was off: RAM is undefined again (filled with a pattern), and peripherals are told.
  void lose_power();
  /// Puts another text into the unique-id area.
  void set_unique_id(std::span<const std::uint8_t> unique_id);

 private:
  struct Attached {
    std::uint32_t base;
    std::uint32_t size;
    Peripheral* peripheral;
  };
  Attached* attached_at(std::uint32_t address);

  std::vector<Bank> banks_;
  std::optional<std::uint32_t> unique_id_address_;
  std::optional<std::uint32_t> flash_alias_;
  std::vector<Attached> attached_;
  std::size_t last_attached_ = 0;
  RegisterFile other_;
  FlashController* flash_controller_ = nullptr;
};

}  // namespace assay::virtual_board
