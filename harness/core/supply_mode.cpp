#include "harness/core/supply_mode.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace assay {
namespace {

struct ModeName {
  SupplyMode mode;
  std::string_view name;
};
constexpr std::array mode_names{
    ModeName{SupplyMode::ldo, "ldo"}, ModeName{SupplyMode::smps, "smps"},
    ModeName{SupplyMode::smps_1v8_ldo, "smps-1v8-ldo"},
    ModeName{SupplyMode::smps_2v5_ldo, "smps-2v5-ldo"}, ModeName{SupplyMode::external, "external"}};

bool contains(const std::vector<SupplyMode>& modes, SupplyMode mode) {
  return std::ranges::find(modes, mode) != modes.end();
}

}  // namespace

std::string_view to_string(SupplyMode mode) {
  return std::ranges::find(mode_names, mode, &ModeName::mode)->name;
}

Result<SupplyMode> parse_supply_mode(std::string_view word) {
  const auto found = std::ranges::find(mode_names, word, &ModeName::name);
  if (found != mode_names.end()) return found->mode;
  std::vector<SupplyMode> all;
  for (const auto& row : mode_names)
    all.push_back(row.mode);
  return fail(ErrorKind::bad_input,
              fmt::format("expected one of {}, found \"{}\"", list_modes(all), word));
}

std::string list_modes(const std::vector<SupplyMode>& modes) {
  std::string text;
  for (const SupplyMode mode : modes)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", to_string(mode));
  return text;
}

Status check_supply_choice(const SupplyChoice& choice, const std::string& part) {
  if (choice.of_part.empty()) {
    if (!choice.mode) return {};
    return fail(ErrorKind::bad_input,
                fmt::format("{} has no choice of supply; leave it out", part));
  }
  if (!choice.mode)
    return fail(ErrorKind::bad_input,
                fmt::format("{} is locked out by a wrong supply: say which of {} the board has",
                            part, list_modes(choice.of_part)));
  if (!contains(choice.of_part, *choice.mode))
    return fail(ErrorKind::bad_input,
                fmt::format("{} has no supply mode {}; it has {}", part, to_string(*choice.mode),
                            list_modes(choice.of_part)));
  if (!contains(choice.wired, *choice.mode))
    return fail(ErrorKind::bad_input,
                fmt::format("{} would lock {} out: the board's power pins are wired for {}",
                            to_string(*choice.mode), part,
                            choice.wired.empty() ? "nothing that power_wiring names"
                                                 : list_modes(choice.wired)));
  return {};
}

}  // namespace assay
