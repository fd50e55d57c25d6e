// What a run needs from this machine, looked at before hours of work begin instead of in the middle
// of them. Thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/plan/stage.hpp"
#include "harness/run/cache.hpp"

namespace assay {

/// A program of the system, and the Debian package that brings it.
struct RequiredTool {
  const char* program;
  const char* package;
  const char* purpose;
  std::optional<StageKind> stage;  ///< needed by stages of this kind; by boards when absent
};

std::span<const RequiredTool> required_tools();

/// Can these stages run here, and their models be measured, on boards that are flashed if
/// `on_boards`? Looks at the programs, the training worker, the data sets (present, right checksum)
/// and the cache (can be written). Errors: infrastructure for a missing program or a cache that
/// cannot be written, bad_input for a data set.
Status preflight(const StageCache& cache, const std::vector<const Stage*>& stages,
                 const std::set<std::string>& data_sets, bool on_boards);

/// Whether the report and the cells' links can be written below `folder`; leaves nothing there.
/// Errors: infrastructure.
Status check_output(const std::filesystem::path& folder);

}  // namespace assay
