// Registers of the system control space that only the Cortex-M7 has of the cores here: cache
// identification and maintenance, tightly coupled memory and cache control, and the memory
// protection unit, which is kept but not enforced. Maintenance changes nothing, as the model's
// memory is always what the core sees. Used by one thread at a time (the board's lock is held).
#pragma once

#include <cstdint>

#include "boards/virtual/peripheral.hpp"
#include "harness/core/part.hpp"

namespace assay::virtual_board {

class CoreRegisters final : public Peripheral {
 public:
  explicit CoreRegisters(const Part& part);

  /// True for an offset from 0xE0000000 that stands here.
  bool holds(std::uint32_t offset) const;
  std::uint32_t read(std::uint32_t offset) override;
  void write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) override;
  void reset() override;

  /// CCR as written, less the cache enables of caches that are not there.
  std::uint32_t allowed_configuration(std::uint32_t value) const;

 private:
  const Part& part_;
  bool present_;
  std::uint32_t cache_selection_ = 0;
  RegisterFile kept_;
};

}  // namespace assay::virtual_board
