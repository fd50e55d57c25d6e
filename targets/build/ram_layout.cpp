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

/// Every bank, of one too.
RamLayout all_banks(const Part& part, Bytes stack_reserve) {
  if (part.runs_linux()) return {};
  RamLayout layout{{}, stack_reserve + static_data};
  for (const bool coupled : {true, false})
    for (const MemoryRegion& region : part.memory)
      if (holds_data(region) && core_coupled(region) == coupled)
        layout.banks.push_back({region.name, region.size});
  return layout;
}

}  // namespace

RamLayout ram_layout(const Part& part, Bytes stack_reserve) {
  RamLayout layout = all_banks(part, stack_reserve);
  return layout.banks.size() < 2 ? RamLayout{} : layout;
}

RamRoom ram_room(const Part& part, Bytes stack_reserve, std::optional<Bytes> budget) {
  return {budget, all_banks(part, stack_reserve)};
}

}  // namespace assay
