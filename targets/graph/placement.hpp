// Laying pieces of memory, each alive for some steps of a network, on a line of addresses: what
// plans of one RAM bank and of several have in common. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "targets/graph/blocks.hpp"

namespace assay {

/// Of every block; nothing: not laid yet.
using Offsets = std::vector<std::optional<std::int64_t>>;

/// Banks of RAM one behind the other on the line. A block lies in one of them; the last has no end.
class BankLine {
 public:
  BankLine() : starts_{0} {}
  explicit BankLine(std::span<const std::int64_t> sizes);

  std::span<const std::int64_t> starts() const { return starts_; }
  std::size_t bank_of(std::int64_t offset) const;
  bool holds(std::int64_t offset, std::int64_t size) const;

 private:
  std::vector<std::int64_t> starts_;
};

/// Whether no two blocks that are alive at once overlap, but for what is written in place.
bool is_valid(const std::vector<Block>& blocks, const Offsets& offsets);

/// End of the block that reaches highest.
std::int64_t end_of_all(const std::vector<Block>& blocks, const Offsets& offsets);

/// A placement that reaches no higher than `goal` where the search finds one, else as low as it
/// finds: by size, lifetime and execution, a local search over the order of placement, and one over
/// all orders that gives up after a fixed number of steps. Always the same.
Offsets place_blocks(const std::vector<Block>& blocks, const BankLine& line, std::int64_t goal);

}  // namespace assay
