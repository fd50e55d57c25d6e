#include "harness/run/preflight.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
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
  const auto wanted = [&](const RequiredTool& tool) {
    return tool.stage ? std::ranges::count(stages, *tool.stage, &Stage::kind) > 0 : on_boards;
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
