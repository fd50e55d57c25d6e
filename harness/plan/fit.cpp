#include "harness/plan/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/plan/shape_model.hpp"
#include "targets/pack/strip_deployment.hpp"

namespace assay {
namespace {

// Allowances taken from built firmware: start-up, drivers and wire protocol, and about 1 KB of
// specialized kernel code a layer; stack reserve and buffers for the link.
constexpr Bytes runtime_flash{10'240};
constexpr Bytes code_per_layer{1024};
constexpr Bytes runtime_ram{4096};

std::string missing(Bytes needed, Bytes size, const char* at_most, const char* what) {
  if (needed <= size) return "";
  return fmt::format("misses by {}{} bytes of {}", at_most, (needed - size).count(), what);
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

}  // namespace

std::string FitEstimate::sentence() const {
  const char* at_most = least_flash <= flash_size ? "at most " : "";
  const auto flash = missing(flash_needed, flash_size, at_most, "flash");
  const auto ram = missing(ram_needed, ram_size, "", "RAM");
  if (flash.empty() && ram.empty()) return "fits";
  return flash + (flash.empty() || ram.empty() ? "" : " and ") + ram;
}

Result<FitEstimate> estimate_fit(const Config& config, const BoardType& board_type) {
  ASSAY_TRY(const auto graph, untrained_graph(config));
  FitEstimate estimate;
  const Part& part = board_type.part;
  // A program under Linux is a file that is read into RAM, where a network always fits.
  estimate.flash_size = part.runs_linux() ? part.ram().size : part.flash().size;
  estimate.ram_size = board_type.part.ram().size;
  const Core& core = board_type.part.core;
  const Bytes room = estimate.ram_size - std::min(estimate.ram_size, runtime_ram);
  ASSAY_TRY(const auto deployment, deploy(graph, &core, choose_in_room(graph, core, {room, {}})));
  Bytes around = runtime_flash;
  for (std::size_t i = 0; i < graph.layers.size(); ++i)
    around += code_per_layer;
  estimate.flash_needed = deployment.weight_bytes + around;
  estimate.least_flash =
      may_shrink(config) ? least_constants(graph, core) + around : estimate.flash_needed;
  estimate.ram_needed = deployment.memory.arena_bytes + runtime_ram;
  return estimate;
}

}  // namespace assay
