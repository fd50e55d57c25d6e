#include "targets/pack/strip_deployment.hpp"

#include <fmt/format.h>

namespace assay {
namespace {

/// What the first kernels of these layers need.
std::vector<LayerMemory> needs_of(const IntegerGraph& shapes, const Core& core) {
  std::vector<LayerMemory> needs;
  for (const IntegerLayer& layer : shapes.layers) {
    const LayerView view(shapes, layer);
    const KernelRow& kernel = choose_kernel(view, core);
    needs.push_back({kernel.scratch(view), kernel.in_place(view)});
  }
  return needs;
}

}  // namespace

KernelChoice choose_in_room(const IntegerGraph& graph, const Core& core, const RamRoom& room) {
  KernelChoice choice;
  const auto whole = needs_of(graph, core);
  if (has_room(room, graph, whole)) return choice;
  const auto found = choose_strips(
      graph, [&](const StripPlan& plan) { return needs_of(strip_shapes(graph, plan), core); }, room,
      core);
  if (found && (found->has_room || found->arena < plan_memory(graph, whole).arena_bytes))
    choice.strips = found->range;
  return choice;
}

std::string why_strips(Bytes whole, std::optional<Bytes> budget) {
  const std::string more =
      budget && whole > *budget
          ? fmt::format("{} more than the budget of {}", (whole - *budget).count(), budget->count())
          : "more than the part has room for";
  return fmt::format("the layers as a whole need {} bytes of RAM, {}", whole.count(), more);
}

std::string over_budget(Bytes least, Bytes budget) {
  return fmt::format("the layers need at least {} bytes of RAM, {} more than the budget of {}",
                     least.count(), (least - budget).count(), budget.count());
}

}  // namespace assay
