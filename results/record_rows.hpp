// Records as rows: the one place that knows which field is which column. Private to results/.
// Throws SOCI's and JSON's exceptions, which the caller guards.
#pragma once

#include <soci.h>

#include <optional>
#include <span>
#include <vector>

#include "results/store.hpp"

namespace assay {

/// A verdict as stored, with the row it stands in.
struct StoredVerdict {
  long long id = 0;
  std::string verdict;
};

/// The row of a measurement key, if there is one.
std::optional<StoredVerdict> find_verdict(soci::session& session, const std::string& key);

void delete_row(soci::session& session, long long id);

/// Writes the record and its metrics. Errors: bad_input for a figure that is not finite.
Status insert_rows(soci::session& session, const Record& record);

/// Records that match the filter and have one of the keys (any key when there are none); in the
/// order of writing. At most 32 766 keys, SQLite's limit of bound values. Errors: bad_input for a
/// row that makes no sense.
Result<std::vector<Record>> select_records(soci::session& session, const Filter& filter,
                                           std::span<const std::string> keys = {});

}  // namespace assay
