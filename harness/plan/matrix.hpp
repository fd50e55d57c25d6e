// A matrix file as values: what is fixed, what is swept, what is left out, what goes to boards.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/board_type.hpp"
#include "harness/plan/config.hpp"

namespace assay {

/// One swept field and its values, ranges expanded.
struct SweepAxis {
  std::string path;
  std::vector<Json> values;
};

/// Where models go: a board type, at a clock, on real or virtual boards.
struct DeployTarget {
  BoardType board_type;
  bool virtual_board = false;  ///< start a virtual board when the inventory has none of the type
  std::optional<Hertz> clock;  ///< the board type's own clock when absent
};

/// The deploy section.
struct Deploy {
  std::vector<DeployTarget> on;
  std::vector<std::string> formats;  ///< "int8"
  int samples = 500;                 ///< test images streamed through each board
};

/// A parsed and checked matrix.
struct Matrix {
  std::string name;
  FieldValues base;
  std::vector<SweepAxis> sweep;        ///< sorted by path; the last one varies fastest
  std::vector<FieldValues> exclude;    ///< a point that matches all fields of one entry is dropped
  std::vector<std::string> baselines;  ///< of known_baselines()
  Deploy deploy;
};

/// Configurations that can be added to those of the sweep: "teacher", "compressed-teacher",
/// "plain", "uncompressed".
std::vector<std::string> known_baselines();

/// Reads a matrix file (JSON with comments). Errors (bad_input): the path of the bad field and what
/// was expected; unknown fields, parts and board types; an empty list or range.
Result<Matrix> load_matrix(const std::filesystem::path& path);
Result<Matrix> parse_matrix(const Json& json, const std::string& source);

/// {"from", "to", "step"} as a list: decimal arithmetic, both ends included (0.10..0.89 step 0.01
/// is 80 values). Errors: bad_input "..." when the range is empty, the step is 0 or has the wrong
/// sign.
Result<std::vector<Json>> expand_range(double from, double to, double step);

/// What the matrix multiplies out to.
struct Expansion {
  std::vector<Config> configs;  ///< unique, in sweep order; baselines after their students
  std::size_t points = 0;       ///< points of the sweep before exclusion
  std::size_t excluded = 0;
  std::size_t collapsed = 0;  ///< points that were the same experiment as an earlier one
};

/// Multiplies out the sweep. Errors: bad_input when the sweep has more than a million points.
Result<Expansion> expand(const Matrix& matrix);

}  // namespace assay
