// A matrix file as values: what is fixed, what varies, what is left out, what goes to boards.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/board_type.hpp"
#include "harness/plan/config.hpp"
#include "harness/plan/deploy_goal.hpp"

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
  std::optional<Optimize> optimize;  ///< in place of what the section says
  std::optional<Bytes> ram_budget;   ///< likewise
};

/// Which configurations go to the boards: of those that differ only in some swept fields the best.
/// The seed tells no two apart: the mean over the seeds decides, and all of them are chosen, unless
/// `over` names the seed.
struct Selection {
  std::vector<std::string> over;  ///< dotted paths
  bool by_test = false;  ///< by accuracy_top1 of the test images, not the validation images
};

/// "accuracy_top1@validation" or "accuracy_top1@test".
std::string_view criterion(const Selection& selection);

/// The deploy section.
struct Deploy {
  std::vector<DeployTarget> on;        ///< empty: no board is needed
  std::optional<Selection> selection;  ///< everything is chosen when absent
  std::vector<std::string> formats;    ///< "int8"
  DeployGoal goal;                     ///< of the choice of kernels
  int samples = 500;                   ///< test images streamed through each board
};

/// What the kernels of a target are chosen for.
DeployGoal goal_of(const Deploy& deploy, const DeployTarget& target);

/// That reports hold every configuration against a baseline of its own.
struct Comparison {
  std::string to;          ///< one of Matrix::baselines
  double within_pp = 0.5;  ///< accuracies no further apart are equal, in percentage points
};

/// A parsed and checked matrix.
struct Matrix {
  std::string name;
  FieldValues base;
  std::vector<FieldValues> variants;   ///< each is set over base, and multiplied with the sweep
  std::vector<SweepAxis> sweep;        ///< sorted by path; the last one varies fastest
  std::vector<FieldValues> exclude;    ///< a point that matches all fields of one entry is dropped
  std::vector<std::string> baselines;  ///< of known_baselines()
  std::optional<Comparison> comparison;
  Deploy deploy;
};

/// Reads a matrix file (JSON with comments). Errors (bad_input): the path of the bad field and what
/// was expected; unknown fields, parts and board types; an empty list or range.
Result<Matrix> load_matrix(const std::filesystem::path& path);
Result<Matrix> parse_matrix(const Json& json, const std::string& source);

/// {"from", "to", "step"} as a list: decimal arithmetic, both ends included (0.10..0.89 step 0.01
/// is 80 values). Errors: bad_input "..." when the range is empty, the step is 0 or has the wrong
/// sign.
Result<std::vector<Json>> expand_range(double from, double to, double step);

}  // namespace assay
