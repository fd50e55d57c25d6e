// Comma-separated values after RFC 4180: a header line, quoted fields, doubled quotes; lines end in
// LF or CRLF, a byte order mark is skipped. Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

struct CsvRow {
  int line = 0;  ///< where it starts in the file; the header is line 1
  std::vector<std::string> fields;
};

struct CsvTable {
  std::vector<std::string> header;
  std::vector<CsvRow> rows;  ///< each with as many fields as the header
};

/// Errors: bad_input naming `source` and the line: a row with another number of fields than the
/// header, a quote that does not end, text behind a closing quote, a column named twice, no row.
Result<CsvTable> parse_csv(std::string_view text, const std::string& source);

/// Position of a column. Errors: bad_input naming the column and those there are.
Result<std::size_t> find_column(const CsvTable& table, const std::string& column,
                                const std::string& source);

}  // namespace assay
