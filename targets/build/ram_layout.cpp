#include "targets/build/ram_layout.hpp"

#include <algorithm>

namespace assay {
namespace {

// Variables of main loop and drivers and the least receive ring come to 1 260 bytes.
constexpr Bytes static_data{1536};

// The regions' names are Arm's for tightly coupled memory (Cortex-M7 TRM, 5.1). The RAM of the
// H7A3's smart run domain has a clock of its own, which nothing here turns on.
bool holds_data(const MemoryRegion& region) {
  return !region.flash && region.name != "ITCM" && region.name != "SRDRAM";
}
bool core_coupled(const MemoryRegion& region) {
  return region.name == "DTCM";
}

}  // namespace

RamLayout ram_layout(const Part& part, Bytes stack_reserve) {
  RamLayout layout;
  for (const bool coupled : {true, false})
    for (const MemoryRegion& region : part.memory)
      if (holds_data(region) && core_coupled(region) == coupled)
        layout.banks.push_back({region.name, region.size});
  if (part.runs_linux() || layout.banks.size() < 2) return {};
  layout.home_bytes = stack_reserve + static_data;
  return layout;
}

}  // namespace assay
