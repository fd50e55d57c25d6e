// Which records belong together in a report. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/record.hpp"
#include "harness/core/units.hpp"

namespace assay {

/// The core clock a record's figures hold for; absent where it does not say (a model that does not
/// fit never ran).
std::optional<Hertz> core_clock(const Record& record);

/// What the record's kernels were chosen for: "flash"; empty where it does not say.
std::string kernel_goal(const Record& record);

/// "cut4-width50_s3" without its "_s3"; other labels as they are.
std::string label_without_seed(const std::string& label);

/// Of the records of one cell on one board, which different versions of the code made, the newest;
/// of two of one moment the later one. The order stays.
std::vector<Record> newest_of_each_cell(std::vector<Record> records);

/// Leaves out the records of the host whose configuration has one of a board too: before a
/// selection sends a configuration to the boards, it is on the host like all others. The order
/// stays.
std::vector<Record> without_superseded_hosts(std::vector<Record> records);

/// Indices of the records of one row.
using Members = std::vector<std::size_t>;

/// The rows of a table: records of one group, deployment and board that differ in the seed alone.
/// What figures depend on beside the configuration must be the same in all of them: core clock,
/// supply, compiler, flags, arithmetic, cycle model and number of streamed samples. A record that
/// did not pass may lack some of these (a model that does not fit has no build); it joins the one
/// row it can belong to. Rows come in the order of their first record.
std::vector<Members> group_records(const std::vector<Record>& records);

}  // namespace assay
