// Where tensors and scratch lie on a part with several banks of RAM. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/core/units.hpp"
#include "targets/graph/memory_plan.hpp"

namespace assay {

/// A bank of RAM: addresses without a gap, all of which a kernel may use.
struct RamBank {
  std::string region;  ///< of the part, and of the linker
  Bytes size;
};

/// The RAM of a part.
struct RamLayout {
  std::vector<RamBank> banks;  ///< the fastest first; none: one bank without an end
  Bytes home_bytes;            ///< of stack and static data, which share a bank with tensors
};

/// A place in one of the banks; offsets count from the bank's arena and are multiples of 8.
struct BankPlace {
  std::size_t bank = 0;
  std::int64_t offset = 0;
};

struct BankPlan {
  std::vector<BankPlace> tensors;  ///< per tensor of the graph
  std::vector<BankPlace> scratch;  ///< per layer; where it has none the beginning of bank 0
  BankPlace entry_rows;            ///< the rows of the strips' entry
  std::vector<Bytes> arenas;       ///< per bank; the largest bank's may exceed it when !fits
  std::size_t home = 0;            ///< bank of stack and static data
  bool fits = true;
};

/// Plans as plan_memory() does, in the first bank that has room for all, else across banks: no
/// tensor and no scratch lies in two of them. Stack and static data go to the first bank with which
/// that works out. A search: it finds a plan for small networks whenever there is one. Where it
/// finds none the plan is that of the largest bank, and does not fit. `layers` has one entry per
/// layer.
BankPlan plan_banks(const IntegerGraph& graph, std::span<const LayerMemory> layers,
                    const RamLayout& ram, const StripPlan* strips = nullptr);

}  // namespace assay
