// Rows of a report beside the row each is held against, such as compressed networks beside the
// dense one: from the context's "comparison", {"to": a baseline's name, "within_pp": percentage
// points, "references": {group_id: group_id of its reference}}. A row and its reference are of the
// same board and clock, and their kernels were chosen for the same goal. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/grid.hpp"
#include "reports/report.hpp"

namespace assay {

/// What a row differs from its reference by. A figure that one of them lacks is absent.
struct Contrast {
  const Row* row = nullptr;
  const Row* reference = nullptr;
  std::optional<Figure> accuracy;  ///< percentage points more, mean over the seeds both have
  bool equal = false;              ///< the accuracies are within what was asked for
  std::optional<double> flash;     ///< times the reference's bytes
  std::optional<double> time;      ///< times its latency

  /// Less flash and less time at equal accuracy.
  bool gains() const { return equal && flash && *flash < 1 && time && *time < 1; }
  /// "smaller and faster at equal accuracy", or what is missing: "not faster; accuracy not equal".
  std::string verdict() const;
};

/// Every row of a table that has a reference there, in the order of the rows. `table` is of this
/// input and must outlive the result.
std::vector<Contrast> find_contrasts(const ReportTable& table, const ReportInput& input);

/// The references, each with the rows held against it: figures, then ratios. The note says what
/// equal means, and of how many rows it is true. Nothing where the context asks for no comparison,
/// or nothing can be compared.
std::optional<Grid> comparison_grid(const ReportInput& input, const FigureStyle& style);

/// "Compared with uncompressed": what stands above it.
std::string comparison_title(const ReportInput& input);

}  // namespace assay
