#include "targets/graph/bank_plan.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "targets/graph/placement.hpp"

namespace assay {
namespace {

/// What every bank has for tensors when stack and static data are in bank `home`; nothing when they
/// do not fit there.
std::optional<std::vector<std::int64_t>> sizes_beside(const RamLayout& ram, std::size_t home) {
  std::vector<std::int64_t> sizes;
  for (std::size_t bank = 0; bank < ram.banks.size(); ++bank) {
    auto size = static_cast<std::int64_t>(ram.banks[bank].size.count());
    if (bank == home) size -= static_cast<std::int64_t>(ram.home_bytes.count());
    if (size < 0) return std::nullopt;
    sizes.push_back(size / 8 * 8);
  }
  return sizes;
}

/// A plan of one bank as one of several.
BankPlan all_in(std::size_t bank, std::size_t home, const MemoryPlan& plan, std::size_t banks) {
  BankPlan result;
  for (const std::int64_t offset : plan.tensor_offset)
    result.tensors.push_back({bank, offset});
  for (const std::int64_t offset : plan.scratch_offset)
    result.scratch.push_back({bank, offset});
  result.entry_rows = {bank, plan.entry_rows_offset};
  result.arenas.resize(banks);
  result.arenas[bank] = plan.arena_bytes;
  result.home = home;
  return result;
}

/// Everything in the first bank that has room for it.
std::optional<BankPlan> plan_whole(const MemoryPlan& plan, const RamLayout& ram) {
  const std::size_t count = ram.banks.size();
  for (std::size_t bank = 0; bank < count; ++bank)
    for (std::size_t home = 0; home < count; ++home) {
      const auto sizes = sizes_beside(ram, home);
      if (sizes && static_cast<std::int64_t>(plan.arena_bytes.count()) <= (*sizes)[bank])
        return all_in(bank, home, plan, count);
    }
  return std::nullopt;
}

BankPlan split_at(const std::vector<Block>& blocks, const Offsets& offsets, const BankLine& line,
                  const IntegerGraph& graph, std::size_t home) {
  const std::size_t tensors = graph.tensors.size();
  BankPlan plan;
  plan.arenas.resize(line.starts().size());
  plan.home = home;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    BankPlace place;
    if (blocks[i].is_used()) {
      place.bank = line.bank_of(*offsets[i]);
      place.offset = *offsets[i] - line.starts()[place.bank];
      const Bytes end(static_cast<std::uint64_t>(blocks[i].end_of(place.offset)));
      plan.arenas[place.bank] = std::max(plan.arenas[place.bank], end);
    }
    if (i < tensors)
      plan.tensors.push_back(place);
    else if (i < tensors + graph.layers.size())
      plan.scratch.push_back(place);
    else
      plan.entry_rows = place;
  }
  return plan;
}

std::optional<BankPlan> plan_split(const IntegerGraph& graph, std::span<const LayerMemory> layers,
                                   const RamLayout& ram, const StripPlan* strips) {
  const std::vector<Block> blocks = blocks_of(graph, layers, strips);
  for (std::size_t home = 0; home < ram.banks.size(); ++home) {
    const auto sizes = sizes_beside(ram, home);
    if (!sizes) continue;
    const std::int64_t room = std::accumulate(sizes->begin(), sizes->end(), std::int64_t{0});
    if (least_bytes(blocks, static_cast<int>(graph.layers.size())) > room) continue;
    const BankLine line(*sizes);
    const Offsets offsets = place_blocks(blocks, line, room);
    if (end_of_all(blocks, offsets) <= room) return split_at(blocks, offsets, line, graph, home);
  }
  return std::nullopt;
}

}  // namespace

BankPlan plan_banks(const IntegerGraph& graph, std::span<const LayerMemory> layers,
                    const RamLayout& ram, const StripPlan* strips) {
  const MemoryPlan one = plan_memory(graph, layers, strips);
  if (ram.banks.empty()) return all_in(0, 0, one, 1);
  if (auto whole = plan_whole(one, ram)) return *whole;
  if (auto split = plan_split(graph, layers, ram, strips)) return *split;
  const auto largest = static_cast<std::size_t>(
      std::ranges::max_element(ram.banks, {}, &RamBank::size) - ram.banks.begin());
  BankPlan plan = all_in(largest, largest, one, ram.banks.size());
  plan.fits = false;
  return plan;
}

}  // namespace assay
