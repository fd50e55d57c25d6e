// A small report whose texts try to break out of every format.
#pragma once

#include "reports/report.hpp"

namespace assay::test {

/// Three records: one measured on silicon and passed, one on a virtual board that failed with
/// markup in every text, one infrastructure failure without figures.
ReportInput awkward_report();

/// The label full of characters that HTML, LaTeX, Markdown or CSV read as markup.
extern const char* const awkward_label;

}  // namespace assay::test
