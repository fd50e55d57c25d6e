#include "targets/graph/strip_choice.hpp"

#include <algorithm>
#include <limits>

#include "targets/graph/blocks.hpp"
#include "targets/graph/strip_estimate.hpp"

namespace assay {
namespace {

/// A plan that may be taken, and what can be said of it before its kernels are looked at.
struct Candidate {
  StripPlan plan;
  double instructions = 0;
  Bytes least;  ///< no arena is smaller
};

/// No arena with this plan is smaller: kernels without scratch that all run in place.
Bytes least_arena(const IntegerGraph& graph, const StripPlan& plan) {
  const std::vector<LayerMemory> optimistic(graph.layers.size(), {Bytes(0), true});
  return Bytes(static_cast<std::uint64_t>(
      least_bytes(blocks_of(graph, optimistic, &plan), static_cast<int>(graph.layers.size()))));
}

std::vector<Candidate> candidates_of(const IntegerGraph& graph, const Core& core) {
  std::vector<Candidate> candidates;
  for (std::size_t first = 0; first < graph.layers.size(); ++first)
    for (std::size_t last = first; last < graph.layers.size(); ++last) {
      const int height = graph.tensors[static_cast<std::size_t>(graph.layers[last].output)].height;
      for (int rows = 1; rows <= height / 2; ++rows) {
        const auto plan = plan_strips(graph, {first, last, rows});
        if (plan)
          candidates.push_back(
              {*plan, instructions_of(graph, *plan, core), least_arena(graph, *plan)});
      }
    }
  return candidates;
}

/// No arena above this has room.
Bytes most_of(const RamRoom& room) {
  Bytes banks;
  for (const RamBank& bank : room.banks.banks)
    banks += bank.size;
  const Bytes unlimited(std::numeric_limits<std::uint64_t>::max());
  return std::min(room.budget.value_or(unlimited), room.banks.banks.empty() ? unlimited : banks);
}

Bytes arena_of(const IntegerGraph& graph, std::span<const LayerMemory> layers,
               const StripPlan& plan) {
  return plan_memory(graph, layers, &plan).arena_bytes;
}

/// The smallest arena; of equal ones the cheapest.
std::optional<StripChoice> find_smallest(const IntegerGraph& graph, const NeedsInStrips& needs,
                                         std::vector<Candidate> candidates) {
  std::ranges::stable_sort(candidates, {}, &Candidate::least);
  std::optional<StripChoice> best;
  for (const Candidate& candidate : candidates) {
    if (best && candidate.least >= best->arena) break;
    const Bytes arena = arena_of(graph, needs(candidate.plan), candidate.plan);
    if (!best || arena < best->arena) best = StripChoice{candidate.plan.range, arena};
  }
  return best;
}

}  // namespace

bool has_room(const RamRoom& room, const IntegerGraph& graph, std::span<const LayerMemory> layers,
              const StripPlan* strips) {
  const BankPlan plan = plan_banks(graph, layers, room.banks, strips);
  Bytes arena;
  for (const Bytes bank : plan.arenas)
    arena += bank;
  return plan.fits && (!room.budget || arena <= *room.budget);
}

std::optional<StripChoice> choose_strips(const IntegerGraph& graph, const NeedsInStrips& needs,
                                         const RamRoom& room, const Core& core) {
  std::vector<Candidate> candidates = candidates_of(graph, core);
  std::ranges::stable_sort(candidates, {}, &Candidate::instructions);
  const Bytes most = most_of(room);
  for (const Candidate& candidate : candidates) {
    if (candidate.least > most) continue;
    const auto layers = needs(candidate.plan);
    if (has_room(room, graph, layers, &candidate.plan))
      return StripChoice{candidate.plan.range, arena_of(graph, layers, candidate.plan), true};
  }
  return find_smallest(graph, needs, std::move(candidates));
}

}  // namespace assay
