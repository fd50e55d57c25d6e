#include "harness/run/preflight.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
#include "harness/core/board_type.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"

namespace assay {
namespace {

constexpr RequiredTool tools[] = {
    {"g++", "g++", "host evaluation", StageKind::evaluate},
    {"arm-none-eabi-g++", "gcc-arm-none-eabi", "firmware", StageKind::firmware},
    {"openocd", "openocd", "flashing", std::nullopt},
};

/// The tools of the Linux system that a firmware stage builds for; nothing for a microcontroller.
std::optional<LinuxTools> linux_tools_of(const Stage& stage) {
  const auto type = load_board_type(stage.settings.at("board_type"));
  return type ? type->part.core.linux_tools : std::nullopt;
}

Status check_linux_tools(const LinuxTools& needed) {
  for (const auto& [program, package] : {std::pair(needed.compiler, needed.compiler_package),
                                         std::pair(needed.emulator, needed.emulator_package)})
    if (!find_program(program))
      return fail(
          ErrorKind::infrastructure,
          fmt::format("{} is not installed: install the Debian package {}", program, package));
  return {};
}

Status check_worker() {
  const auto worker = own_program("assay-train");
  if (std::filesystem::exists(worker)) return {};
  return fail(
      ErrorKind::infrastructure,
      fmt::format("{} is not built; training needs a build with ASSAY_TRAIN=ON", worker.string()));
}

}  // namespace

std::span<const RequiredTool> required_tools() {
  return tools;
}

Status preflight(const StageCache& cache, const std::vector<const Stage*>& stages,
                 const std::set<std::string>& data_sets, bool on_boards) {
  bool for_microcontrollers = false;
  for (const Stage* stage : stages) {
    if (stage->kind != StageKind::firmware) continue;
    const auto needed = linux_tools_of(*stage);
    if (needed) ASSAY_CHECK(check_linux_tools(*needed));
    for_microcontrollers = for_microcontrollers || !needed;
  }
  const auto wanted = [&](const RequiredTool& tool) {
    if (!tool.stage) return on_boards;
    if (*tool.stage == StageKind::firmware) return for_microcontrollers;
    return std::ranges::count(stages, *tool.stage, &Stage::kind) > 0;
  };
  for (const auto& tool : tools)
    if (wanted(tool) && !find_program(tool.program))
      return fail(ErrorKind::infrastructure,
                  fmt::format("{} is not installed: install the Debian package {} ({})",
                              tool.program, tool.package, tool.purpose));
  if (std::ranges::any_of(stages, runs_in_worker, &Stage::kind)) ASSAY_CHECK(check_worker());
  if (!std::ranges::all_of(stages, runs_in_worker, &Stage::kind)) ASSAY_CHECK(check_sources());
  for (const auto& name : data_sets)
    ASSAY_CHECK(verify_dataset(name));
  return ScratchDirectory::create(cache.root() / "scratch", "writable-").map([](const auto&) {});
}

Status check_output(const std::filesystem::path& folder) {
  for (const char* part : {"report", "cells"}) {
    auto place = std::filesystem::absolute(folder / part);
    std::error_code none;
    while (!std::filesystem::exists(place, none) && place.has_relative_path())
      place = place.parent_path();
    ASSAY_CHECK(ScratchDirectory::create(place, ".writable-"));
  }
  return {};
}

}  // namespace assay
