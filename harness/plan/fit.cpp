#include "harness/plan/fit.hpp"

#include <fmt/format.h>

#include "harness/plan/shape_model.hpp"
#include "targets/pack/deployment.hpp"

namespace assay {
namespace {

// Allowances taken from built firmware: start-up, drivers and wire protocol, and about 1 KB of
// specialized kernel code a layer; stack reserve and buffers for the link (two inputs and logits).
constexpr Bytes runtime_flash{10'240};
constexpr Bytes code_per_layer{1024};
constexpr Bytes runtime_ram{4096};

std::string missing(Bytes needed, Bytes size, const char* what) {
  if (needed <= size) return "";
  return fmt::format("misses by {} bytes of {}", (needed - size).count(), what);
}

}  // namespace

std::string FitEstimate::sentence() const {
  if (fits()) return "fits";
  const auto flash = missing(flash_needed, flash_size, "flash");
  const auto ram = missing(ram_needed, ram_size, "RAM");
  return flash + (flash.empty() || ram.empty() ? "" : " and ") + ram;
}

Result<FitEstimate> estimate_fit(const Config& config, const BoardType& board_type) {
  ASSAY_TRY(const auto graph, untrained_graph(config));
  ASSAY_TRY(const auto deployment, deploy(graph, &board_type.part.core));
  const Bytes input_buffer(
      static_cast<std::uint64_t>(graph.tensors[static_cast<std::size_t>(graph.input)].size()));
  FitEstimate estimate;
  estimate.flash_size = board_type.part.flash().size;
  estimate.ram_size = board_type.part.ram().size;
  estimate.flash_needed = deployment.weight_bytes + runtime_flash;
  for (std::size_t i = 0; i < graph.layers.size(); ++i)
    estimate.flash_needed += code_per_layer;
  estimate.ram_needed = deployment.memory.arena_bytes + runtime_ram + input_buffer + input_buffer;
  return estimate;
}

}  // namespace assay
