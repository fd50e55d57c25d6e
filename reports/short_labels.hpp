// Labels as a printed table shows them. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "reports/table.hpp"

namespace assay {

/// Labels without the details of pruning (p) and clustering (k) that all of them share.
struct ShortLabels {
  std::vector<std::string> labels;    ///< in the order given, as different as before
  std::vector<LegendEntry> left_out;  ///< per step what was: {"p:", "with pg-block-1x4, pe18"}
};

/// "width50_p0.5_pg-block-1x4_pe18_k16_ke6" becomes "width50_p0.5_k16" where every label with a p
/// has that pg and that pe, and every one with a k that ke. A detail that differs stays in all.
ShortLabels shorten_labels(const std::vector<std::string>& labels);

/// report_table() for formats that one prints: with short labels, and notes of what they leave out.
/// Lists that people copy a label from keep it whole.
ReportTable printed_table(const ReportInput& input, ColumnChoice choice);

}  // namespace assay
