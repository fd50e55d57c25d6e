#include "harness/plan/fit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "harness/plan/shape_model.hpp"
#include "targets/build/firmware.hpp"
#include "targets/build/ram_layout.hpp"
#include "targets/pack/strip_deployment.hpp"

namespace assay {
namespace {

// Allowances taken from built firmware: start-up, drivers and wire protocol, and about 1 KB of
// specialized kernel code a layer.
constexpr Bytes runtime_flash{10'240};
constexpr Bytes code_per_layer{1024};

/// "at most " where what is known does not rule the size out.
const char* at_most(Bytes least, Bytes size) {
  return least <= size ? "at most " : "";
}

std::string missing(Bytes needed, Bytes least, Bytes size, const char* what) {
  if (needed <= size) return "";
  return fmt::format("misses by {}{} bytes of {}", at_most(least, size), (needed - size).count(),
                     what);
}

std::string missing(const std::optional<BudgetEstimate>& estimate, const char* what) {
  if (!estimate || estimate->needed <= estimate->budget) return "";
  return fmt::format("misses the {} budget by {}{} bytes", what,
                     at_most(estimate->least, estimate->budget),
                     (estimate->needed - estimate->budget).count());
}

bool is_kept(const std::optional<BudgetEstimate>& estimate) {
  return !estimate || estimate->least <= estimate->budget;
}

/// Whether trained weights may have another form than int8: zeros, few values, or a small range.
bool may_shrink(const Config& config) {
  const auto& values = config.values();
  const auto bits = values.find("quantize.weight_bits");
  const bool few_bits = bits != values.end() && bits->second != 8;
  const bool from_file = config.source().has_value();  // of which anything may be true
  return config.has("prune") || config.has("cluster") || few_bits || from_file ||
         values.contains("quantize.layer_bits");
}

/// The fewest constants of every layer, together. Zero weights have every form.
Bytes least_constants(const IntegerGraph& graph, const Core& core) {
  Bytes sum;
  for (const IntegerLayer& layer : graph.layers) {
    const LayerView view(graph, layer);
    std::optional<Bytes> least;
    for (const KernelRow* row : candidate_kernels(view, core)) {
      const Bytes bytes = deploy_layer(view, *row).constant_bytes;
      least = std::min(least.value_or(bytes), bytes);
    }
    sum += *least;
  }
  return sum;
}

struct RamEstimate {
  Bytes arena;   ///< tensors and scratch, in all banks
  Bytes needed;  ///< with stack and static data
  Bytes size;    ///< of the banks together where they find a place in them, else of the largest
};

RamEstimate estimate_ram(const IntegerGraph& graph, const Deployment& deployment, const Part& part,
                         const RamLayout& ram) {
  RamEstimate estimate{{}, {}, part.ram().size};  // under Linux, where there are no banks
  const BankPlan plan =
      plan_banks(graph, deployment.needs, ram, deployment.strips ? &*deployment.strips : nullptr);
  for (const Bytes arena : plan.arenas)
    estimate.arena += arena;
  estimate.needed = estimate.arena + ram.home_bytes;
  if (!ram.banks.empty()) estimate.size = Bytes(0);
  for (const RamBank& bank : ram.banks)
    estimate.size = plan.fits ? estimate.size + bank.size : std::max(estimate.size, bank.size);
  return estimate;
}

}  // namespace

bool FitEstimate::fits() const {
  return least_flash <= flash_size && ram_needed <= ram_size && is_kept(flash_budget) &&
         is_kept(ram_budget);
}

std::string FitEstimate::sentence() const {
  std::vector<std::string> parts{missing(flash_needed, least_flash, flash_size, "flash"),
                                 missing(ram_needed, ram_needed, ram_size, "RAM"),
                                 missing(flash_budget, "flash"), missing(ram_budget, "RAM")};
  std::erase(parts, "");
  return parts.empty() ? "fits" : fmt::format("{}", fmt::join(parts, " and "));
}

Result<FitEstimate> estimate_fit(const Config& config, const BoardType& board_type,
                                 const DeployGoal& goal) {
  ASSAY_TRY(const auto graph, untrained_graph(config));
  FitEstimate estimate;
  const Part& part = board_type.part;
  // A program under Linux is a file that is read into RAM, where a network always fits.
  estimate.flash_size = part.runs_linux() ? part.ram().size : part.flash().size;
  const Core& core = part.core;
  const RamRoom room = ram_room(part, FirmwareRequest().stack_reserve, goal.ram_budget);
  ASSAY_TRY(const auto deployment, deploy(graph, &core, choose_in_room(graph, core, room)));
  Bytes code;
  for (std::size_t i = 0; i < graph.layers.size(); ++i)
    code += code_per_layer;
  const Bytes least = may_shrink(config) ? least_constants(graph, core) : deployment.weight_bytes;
  estimate.flash_needed = deployment.weight_bytes + code + runtime_flash;
  estimate.least_flash = least + code + runtime_flash;
  const RamEstimate ram = estimate_ram(graph, deployment, part, room.banks);
  estimate.ram_needed = ram.needed;
  estimate.ram_size = ram.size;
  if (goal.flash_budget)
    estimate.flash_budget = {*goal.flash_budget, deployment.weight_bytes + code, least};
  if (goal.ram_budget) estimate.ram_budget = {*goal.ram_budget, ram.arena, ram.arena};
  return estimate;
}

}  // namespace assay
