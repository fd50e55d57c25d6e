#include "boards/virtual/cycle_model.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

namespace assay::virtual_board {
namespace {

/// A version of a model; its costs are data, its rules are code, and a change of either is a new
/// version: here and in the core's file.
struct KnownModel {
  std::string_view version;
  Result<std::unique_ptr<CycleModel>> (*make)(const Core& core);
};

constexpr std::array known_models{
    KnownModel{"m0-2", make_cycle_model_m0},   KnownModel{"m0plus-3", make_cycle_model_m0},
    KnownModel{"m4-2", make_cycle_model_m4},   KnownModel{"m7-2", make_cycle_model_m7},
    KnownModel{"m33-3", make_cycle_model_m33},
};

}  // namespace

Result<std::unique_ptr<CycleModel>> make_cycle_model(const Core& core) {
  std::vector<std::string_view> names;
  for (const KnownModel& known : known_models) {
    if (known.version == core.cycle_model) return known.make(core);
    names.push_back(known.version);
  }
  return fail(ErrorKind::bad_input,
              fmt::format("core {}: cycle_model \"{}\" is not one the virtual board has: {}",
                          core.name, core.cycle_model, fmt::join(names, ", ")));
}

}  // namespace assay::virtual_board
