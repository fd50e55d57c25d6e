// Every stretch of straight code that ran, decoded once: what it counts, what it costs, and what in
// it the core may not execute. Used by one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "boards/virtual/cycle_model.hpp"
#include "boards/virtual/decode.hpp"
#include "boards/virtual/memory.hpp"
#include "harness/core/part.hpp"

namespace assay::virtual_board {

/// A block as the engine translates it: entered at the top, left at the bottom.
struct Block {
  std::uint32_t address = 0;
  std::uint32_t size = 0;
  std::uint32_t count = 0;   ///< instructions
  std::uint32_t cycles = 0;  ///< of all of them, without the branch at the end
  BlockCost cost;
  std::uint64_t runs = 0;  ///< since the open window began
  bool has_marker = false;
  int undefined = -1;  ///< index of the first instruction the core lacks, -1: none
  int floating = -1;   ///< index of the first that needs the FPU, -1: none
  std::array<std::uint32_t, instruction_class_count> classes{};
  std::vector<Instruction> code;
  std::vector<std::uint32_t> offsets;  ///< of each instruction, in bytes from `address`
  std::vector<std::uint8_t> bytes;     ///< code in RAM only: what was decoded

  std::uint32_t end() const { return address + size; }
};

class CodeMap {
 public:
  CodeMap(MemoryMap& memory, const Core& core, const CycleCosts& costs);

  /// The block of `size` bytes at `address`; code in RAM is decoded anew when it has changed.
  Block& find(std::uint32_t address, std::uint32_t size) {
    const std::uint32_t offset = memory_.resolve(address) - flash_base_;
    if (offset < flash_size_) {
      Block* block = flash_blocks_[offset / 2];
      if (block && block->address == address && block->size == size) return *block;
    }
    return find_slowly(address, size);
  }
  /// Forgets blocks in flash, after it was programmed.
  void forget_flash();
  void clear_runs();
  /// Every block known.
  const std::vector<std::unique_ptr<Block>>& blocks() const { return blocks_; }

 private:
  Block& find_slowly(std::uint32_t address, std::uint32_t size);
  void decode_block(Block& block, const std::uint8_t* code);

  MemoryMap& memory_;
  bool mainline_;
  bool dsp_;
  bool fpu_;
  const CycleCosts& costs_;
  std::uint32_t flash_base_;
  std::uint32_t flash_size_;
  std::vector<Block*> flash_blocks_;
  std::unordered_map<std::uint64_t, Block*> other_blocks_;  ///< by address and size
  std::vector<std::unique_ptr<Block>> blocks_;
};

}  // namespace assay::virtual_board
