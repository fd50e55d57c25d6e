// Modelled cycles of a stretch of instructions from the core's cost table (keys and rules:
// targets/parts/README.md). Static within a block; branches are charged on the edge between two
// blocks, where it is known whether they were taken. Immutable after construction, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "boards/virtual/decode.hpp"
#include "harness/core/part.hpp"

namespace assay::virtual_board {

/// The `cycles` table of a core, one field a key.
struct CycleCosts {
  std::uint32_t alu = 0, multiply = 0, multiply_long = 0, mac = 0, divide = 0;
  std::uint32_t load = 0, load_adjacent = 0, load_next = 0, address_wait = 0;
  std::uint32_t store = 0, store_register_offset = 0, store_multiple = 0, store_next = 0;
  std::uint32_t store_load = 0;
  std::uint32_t branch_taken = 0, branch_not_taken = 0, branch_link = 0, branch_register = 0;
  std::uint32_t pop_pc = 0, system = 0, barrier = 0;
  std::uint32_t float_alu = 0, float_mac = 0, float_divide = 0, exception = 0;

  /// Reads a core's table. Classes the core lacks stay 0, optional refinements take the cost they
  /// refine. Errors: bad_input for an unknown key, a missing necessary key or a cost that is not a
  /// whole number.
  static Result<CycleCosts> from_core(const Core& core);
};

/// Cost of a block in cycles.
struct BlockCost {
  std::vector<std::uint16_t> until;  ///< cycles before instruction i; the last entry is the total
  std::uint32_t taken = 0;           ///< added when the block's last branch was taken
  std::uint32_t not_taken = 0;       ///< added when it fell through
};

/// Costs of a straight stretch of instructions as executed one after the other.
BlockCost block_cost(const CycleCosts& costs, std::span<const Instruction> instructions);

}  // namespace assay::virtual_board
