#include "harness/run/kernel_arena.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "targets/graph/strip_estimate.hpp"
#include "targets/pack/strip_deployment.hpp"

namespace assay {
namespace {

/// A layer in strips that none of its kernels can run takes this instead: such strips are not
/// chosen.
constexpr LayerMemory impossible{Bytes(1u << 30), false};

}  // namespace

KernelArena::KernelArena(const IntegerGraph& graph, const Core& core, const Trial& trial,
                         RamRoom room)
    : graph_(graph), core_(core), room_(std::move(room)) {
  for (std::size_t i = 0; i < trial.layers.size(); ++i) {
    const LayerView view(graph, graph.layers[i]);
    auto& rows = kernels_.emplace_back();
    LayerNeeds& needs = whole_.emplace_back();
    for (const TriedKernel& tried : trial.layers[i]) {
      rows.push_back(kernel_named(tried.kernel));
      needs.push_back(LayerMemory{tried.scratch, rows.back()->in_place(view)});
    }
  }
  needs_ = whole_;
}

std::vector<KernelArena::LayerNeeds> KernelArena::needs_in(const StripPlan& plan) const {
  std::vector<LayerNeeds> needs = whole_;
  const IntegerGraph shapes = strip_shapes(graph_, plan);
  for (std::size_t i = plan.range.first; i <= plan.range.last; ++i) {
    const LayerView view(shapes, shapes.layers[i]);
    for (std::size_t k = 0; k < kernels_[i].size(); ++k) {
      const KernelRow& row = *kernels_[i][k];
      needs[i][k].reset();
      if (takes(row, view)) needs[i][k] = LayerMemory{row.scratch(view), row.in_place(view)};
    }
  }
  return needs;
}

Picks KernelArena::smallest_of(const std::vector<LayerNeeds>& needs) {
  Picks picks;
  for (const LayerNeeds& kernels : needs) {
    std::size_t best = 0;
    for (std::size_t k = 1; k < kernels.size(); ++k)
      if (kernels[k] && (!kernels[best] || kernels[k]->scratch < kernels[best]->scratch)) best = k;
    picks.push_back(best);
  }
  return picks;
}

std::vector<LayerMemory> KernelArena::memory_of(const std::vector<LayerNeeds>& needs,
                                                const Picks& picks) const {
  std::vector<LayerMemory> memory;
  for (std::size_t i = 0; i < picks.size(); ++i)
    memory.push_back(needs[i][picks[i]].value_or(impossible));
  return memory;
}

void KernelArena::choose_strips() {
  const auto whole = memory_of(whole_, smallest_of(whole_));
  if (assay::has_room(room_, graph_, whole)) return;
  const auto found = assay::choose_strips(
      graph_,
      [&](const StripPlan& plan) {
        const auto needs = needs_in(plan);
        return memory_of(needs, smallest_of(needs));
      },
      room_, core_);
  if (!found || (!found->has_room && found->arena >= plan_memory(graph_, whole).arena_bytes))
    return;
  plan_ = plan_strips(graph_, found->range);
  needs_ = needs_in(*plan_);
}

std::optional<Bytes> KernelArena::scratch(std::size_t layer, std::size_t kernel) const {
  const auto& needs = needs_[layer][kernel];
  return needs ? std::optional(needs->scratch) : std::nullopt;
}

bool KernelArena::has_room(const Picks& picks) const {
  return assay::has_room(room_, graph_, memory_of(needs_, picks), plan_ ? &*plan_ : nullptr);
}

Bytes KernelArena::with(const Picks& picks) const {
  return plan_memory(graph_, memory_of(needs_, picks), plan_ ? &*plan_ : nullptr).arena_bytes;
}

Picks KernelArena::smallest() const {
  return smallest_of(needs_);
}

double KernelArena::instructions_of_strips() const {
  return plan_ ? std::max(instructions_of(graph_, *plan_, core_), 0.0) : 0;
}

Json KernelArena::describe(const Picks& picks, std::optional<Bytes> budget) const {
  if (!plan_) return nullptr;
  const StripCost cost = cost_of(graph_, *plan_);
  const Bytes whole = plan_memory(graph_, memory_of(whole_, smallest_of(whole_))).arena_bytes;
  return {{"first", plan_->range.first},
          {"first_layer", graph_.layers[plan_->range.first].name},
          {"last_layer", graph_.layers[plan_->range.last].name},
          {"layers", plan_->range.last - plan_->range.first + 1},
          {"rows", plan_->range.rows},
          {"strips", plan_->strips},
          {"arena_bytes", with(picks).count()},
          {"arena_bytes_without", whole.count()},
          {"because", why_strips(whole, budget)},
          {"extra_macc", cost.extra.count()},
          {"copied_bytes", cost.copied.count()},
          {"extra_instructions_estimate", static_cast<std::uint64_t>(instructions_of_strips())}};
}

std::string strips_sentence(const Json& strips) {
  const std::size_t rows = strips.at("rows");
  return fmt::format(
      "{} to {} run in {} strips of {} row{}: {}", strips.at("first_layer").get<std::string>(),
      strips.at("last_layer").get<std::string>(), strips.at("strips").get<std::size_t>(), rows,
      rows == 1 ? "" : "s", strips.at("because").get<std::string>());
}

}  // namespace assay
