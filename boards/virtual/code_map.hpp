// Every stretch of straight code that ran, decoded once: what it counts, what it costs behind the
// stretch before it, and what in it the core may not execute. Used by one thread at a time.
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

/// Modelled time in 1/1024 of a cycle, so that a factor on code in flash adds up exactly.
using Ticks = std::uint64_t;
constexpr unsigned ticks_shift = 10;

struct Block;

/// The cost of a block behind another: T(A+B) - T(A), where a block's closing branch counts with
/// what comes after it, because only then it is known where it went.
struct Edge {
  const Block* to = nullptr;
  /// Ticks before instruction i of `to`, since all of the block before but its closing branch was
  /// through; the last entry is that before the closing branch of `to`, or the end.
  std::vector<std::uint32_t> until;
  std::uint32_t generation = 0;  ///< of the wait states it was computed for

  std::uint32_t cost() const { return until.back(); }
};

/// A block as the engine translates it: entered at the top, left at the bottom.
struct Block {
  std::uint32_t address = 0;
  std::uint32_t size = 0;
  std::uint32_t count = 0;      ///< instructions
  std::uint64_t runs = 0;       ///< since the open window began
  const Block* next = nullptr;  ///< the block that followed last, by `next_edge`
  const Edge* next_edge = nullptr;
  std::uint32_t next_cost = 0;
  std::uint32_t literals = 0;  ///< loads relative to PC
  std::uint32_t words_loaded = 0;
  bool in_flash = false;
  bool has_marker = false;
  bool closes = false;          ///< its last instruction is a branch
  bool chooses = false;         ///< and a conditional one
  std::uint64_t taken = 0;      ///< how often it went elsewhere, since the open window began
  std::uint64_t not_taken = 0;  ///< and to the block behind it
  int undefined = -1;           ///< index of the first instruction the core lacks, -1: none
  int floating = -1;            ///< index of the first that needs the FPU, -1: none
  std::array<std::uint32_t, instruction_class_count> classes{};
  std::vector<Instruction> code;
  std::vector<std::uint32_t> offsets;  ///< of each instruction, in bytes from `address`
  std::vector<std::uint8_t> bytes;     ///< code in RAM only: what was decoded
  Edge entry;                          ///< its cost behind nothing
  std::vector<std::unique_ptr<Edge>> departures;

  std::uint32_t end() const { return address + size; }
};

class CodeMap {
 public:
  CodeMap(MemoryMap& memory, const Part& part, const CycleModel& model);

  /// The block of `size` bytes at `address`; code in RAM is decoded anew when it has changed.
  Block& find(std::uint32_t address, std::uint32_t size) {
    const std::uint32_t offset = memory_.resolve(address) - flash_base_;
    if (offset < flash_size_) {
      Block* block = flash_blocks_[offset / 2];
      if (block && block->address == address && block->size == size) return *block;
    }
    return find_slowly(address, size);
  }
  /// What `to` costs behind `from`, or behind nothing (nullptr). Becomes the `next_edge` of `from`.
  const Edge& find_edge(Block* from, Block& to);
  /// What the closing branch of `block` costs when it goes to `target`; 0 when it has none.
  Ticks closing_cost(const Block& block, std::uint32_t target) const;
  /// Wait states of the flash at the clock of the moment.
  std::uint32_t wait_states() const { return flash_path_.wait_states; }
  void set_wait_states(std::uint32_t wait_states);

  /// Forgets blocks in flash, after it was programmed.
  void forget_flash();
  /// A window begins: nothing ran yet, no branch was seen.
  void clear_runs();
  /// Every block known.
  const std::vector<std::unique_ptr<Block>>& blocks() const { return blocks_; }

 private:
  Block& find_slowly(std::uint32_t address, std::uint32_t size);
  void decode_block(Block& block, const std::uint8_t* code);
  void compute(Edge& edge, const Block* from) const;
  std::vector<std::uint32_t> run(const Block& where, const std::vector<Step>& steps) const;

  MemoryMap& memory_;
  bool mainline_;
  bool dsp_;
  bool fpu_;
  const CycleModel& model_;
  FetchPath flash_path_;
  double slowdown_;  ///< of code in flash, per wait state
  std::uint32_t generation_ = 1;
  std::uint32_t flash_base_;
  std::uint32_t flash_size_;
  std::vector<Block*> flash_blocks_;
  std::unordered_map<std::uint64_t, Block*> other_blocks_;  ///< by address and size
  std::vector<std::unique_ptr<Block>> blocks_;
};

}  // namespace assay::virtual_board
