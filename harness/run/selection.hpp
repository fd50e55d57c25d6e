// What a selection goes by, and what a report tells about it and about comparisons.
#pragma once

#include <filesystem>

#include "harness/plan/plan.hpp"

namespace assay {

/// The accuracies that the plan's selection goes by, from the store's records of the host. None
/// without a selection, or a store. Errors: the store's.
Result<Scores> recorded_scores(const Plan& plan, const std::filesystem::path& store);

/// {"matrix", "over", "by", "selected"}: the fields, the criterion and the config_ids of the
/// configurations chosen from several; null without a selection.
Json selection_context(const Plan& plan);

/// {"to", "within_pp", "references"}: which group is held against which (reports/comparison.hpp);
/// null where the matrix asks for no comparison.
Json comparison_context(const Plan& plan);

}  // namespace assay
