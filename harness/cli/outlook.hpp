// What a run of a plan would do, and whether its cells fit their boards: what `assay plan` shows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "harness/cli/matrix_options.hpp"
#include "harness/plan/fit.hpp"

namespace assay::cli {

struct Outlook {
  PendingWork pending;
  std::map<std::string, std::pair<std::size_t, std::size_t>> kinds;  ///< kind -> stages, cached
  std::size_t trainings = 0;  ///< pending stages in which a network learns
  double seconds = 0;         ///< estimated
};

/// Errors: those of find_pending.
Result<Outlook> look_ahead(const Plan& plan, const RunContext& context,
                           const MatrixOptions& options);

/// Does the network of each cell fit its board type? Networks of equal shape are estimated once.
class FitTable {
 public:
  explicit FitTable(const Plan& plan) : plan_(plan) {}
  /// Nothing for a cell on the host. Errors: bad_input when the network cannot be built.
  Result<std::optional<FitEstimate>> of(const Cell& cell);

 private:
  const Plan& plan_;
  std::map<std::string, FitEstimate> estimates_;
};

}  // namespace assay::cli
