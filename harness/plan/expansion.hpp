// What a matrix multiplies out to. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/plan/matrix.hpp"

namespace assay {

/// Configurations that differ only in the fields a selection is made over. Indices into
/// Expansion::configs.
struct SelectionGroup {
  /// In sweep order; each is a configuration with all its seeds, or with one where the selection is
  /// over the seed too.
  std::vector<std::vector<std::size_t>> candidates;
};

struct Expansion {
  std::vector<Config> configs;  ///< unique, in sweep order; baselines after their students
  std::size_t points = 0;       ///< points of variants and sweep before exclusion
  std::size_t excluded = 0;
  std::size_t collapsed = 0;  ///< points that were the same experiment as an earlier one
  /// With a selection: where one is chosen. A configuration that several points stand for may be in
  /// several; every baseline is the only one of a group.
  std::vector<SelectionGroup> groups;
  /// What the matrix says without effect, a sentence each: an entry of exclude that drops no point,
  /// a baseline that adds no configuration, a field that no configuration has.
  std::vector<std::string> notices;
};

/// Configurations that can be added to those of the sweep: "teacher", "compressed-teacher",
/// "plain", "uncompressed".
std::vector<std::string> known_baselines();

/// The one of that name of a configuration, which may be the configuration itself; nothing where it
/// has none.
std::optional<Config> baseline_of(std::string_view name, const Config& config);

/// Multiplies out variants and sweep, the variants varying slowest. Errors: bad_input when there
/// are more than a million points.
Result<Expansion> expand(const Matrix& matrix);

}  // namespace assay
