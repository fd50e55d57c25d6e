// How a chip makes the voltage of its core where firmware chooses: the linear regulator (LDO) of an
// STM32H7 or STM32U5, its step-down converter (SMPS), one feeding the other, or neither. Pure
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

enum class SupplyMode : std::uint8_t {
  ldo,           ///< "ldo": the regulator alone
  smps,          ///< "smps": the converter feeds the core
  smps_1v8_ldo,  ///< "smps-1v8-ldo": the converter makes 1.8 V for the regulator
  smps_2v5_ldo,  ///< "smps-2v5-ldo": the converter makes 2.5 V for the regulator
  external,      ///< "external": both are bypassed, the board supplies the core
};

std::string_view to_string(SupplyMode mode);
/// Errors: bad_input "expected ..." listing the modes.
Result<SupplyMode> parse_supply_mode(std::string_view word);
/// "ldo, smps"
std::string list_modes(const std::vector<SupplyMode>& modes);

/// The mode a board asks for, the modes its part has, and those its power pins are wired for.
struct SupplyChoice {
  std::optional<SupplyMode> mode;
  std::vector<SupplyMode> of_part;
  std::vector<SupplyMode> wired;
};

/// On an STM32H7 the first write after power-up fixes the mode, and a wrong one cuts the core off
/// before a debugger can reach it. Errors: bad_input, a sentence that says what the choice lacks:
/// no mode where the part needs one, one it does not have, one the board is not wired for.
Status check_supply_choice(const SupplyChoice& choice, const std::string& part);

}  // namespace assay
