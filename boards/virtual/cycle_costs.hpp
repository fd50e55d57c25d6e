// Reads the `cycles` of a core into the costs of one cycle model. Pure, thread-safe.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "harness/core/part.hpp"

namespace assay::virtual_board {

/// A key of `cycles` and the field it fills.
template <class Costs>
struct CostKey {
  std::string_view name;
  std::uint32_t Costs::*field;
};

/// Every key must be there, and no other. Errors: bad_input naming core and key.
template <class Costs, std::size_t count>
Result<Costs> read_costs(const Core& core, const std::array<CostKey<Costs>, count>& keys) {
  Costs costs;
  for (const auto& key : keys) {
    const auto found = core.cycles.find(std::string(key.name));
    if (found == core.cycles.end())
      return fail(ErrorKind::bad_input,
                  fmt::format("core {}: cycles.{} is missing; the cycle model {} needs it",
                              core.name, key.name, core.cycle_model));
    if (found->second < 0 || found->second != std::floor(found->second))
      return fail(ErrorKind::bad_input,
                  fmt::format("core {}: cycles.{} is {}, expected a whole number of cycles",
                              core.name, key.name, found->second));
    costs.*key.field = static_cast<std::uint32_t>(found->second);
  }
  for (const auto& [name, value] : core.cycles)
    if (std::ranges::none_of(keys, [&](const auto& key) { return key.name == name; }))
      return fail(ErrorKind::bad_input,
                  fmt::format("core {}: cycles.{} is not a cost of the cycle model {}; see "
                              "targets/parts/README.md",
                              core.name, name, core.cycle_model));
  return costs;
}

}  // namespace assay::virtual_board
