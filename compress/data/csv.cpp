#include "compress/data/csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace assay {
namespace {

/// Cuts text into rows of fields.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& source) : rest_(text), source_(source) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }

  bool at_end() const { return rest_.empty(); }

  Result<CsvRow> row() {
    CsvRow row{line_, {}};
    while (true) {
      ASSAY_TRY(auto field, rest_.starts_with('"') ? quoted() : plain());
      row.fields.push_back(std::move(field));
      if (rest_.starts_with(',')) {
        rest_.remove_prefix(1);
        continue;
      }
      if (rest_.starts_with('\r')) rest_.remove_prefix(1);
      if (rest_.empty()) return row;
      if (!rest_.starts_with('\n')) return failed("text follows a closing quote");
      rest_.remove_prefix(1);
      ++line_;
      return row;
    }
  }

 private:
  tl::unexpected<Error> failed(const char* what) const {
    return fail(ErrorKind::bad_input, fmt::format("{}: line {}: {}", source_, line_, what));
  }

  Result<std::string> plain() {
    const auto end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    std::string field(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return field;
  }

  Result<std::string> quoted() {
    std::string field;
    rest_.remove_prefix(1);
    while (true) {
      const auto quote = rest_.find('"');
      if (quote == std::string_view::npos) return failed("a quote is opened and not closed");
      field += rest_.substr(0, quote);
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) break;
      field += '"';
      rest_.remove_prefix(1);
    }
    line_ += int(std::count(field.begin(), field.end(), '\n'));
    return field;
  }

  std::string_view rest_;
  const std::string& source_;
  int line_ = 1;
};

}  // namespace

Result<CsvTable> parse_csv(std::string_view text, const std::string& source) {
  CsvReader reader(text, source);
  CsvTable table;
  ASSAY_TRY(auto header, reader.row());
  table.header = std::move(header.fields);
  for (std::size_t i = 0; i < table.header.size(); ++i)
    if (std::count(table.header.begin(), table.header.end(), table.header[i]) > 1)
      return fail(ErrorKind::bad_input,
                  fmt::format("{}: the column \"{}\" is there twice", source, table.header[i]));
  while (!reader.at_end()) {
    ASSAY_TRY(auto row, reader.row());
    if (row.fields.size() != table.header.size())
      return fail(ErrorKind::bad_input,
                  fmt::format("{}: line {} has {} fields, the header has {}", source, row.line,
                              row.fields.size(), table.header.size()));
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty())
    return fail(ErrorKind::bad_input, fmt::format("{} has no row below its header", source));
  return table;
}

Result<std::size_t> find_column(const CsvTable& table, const std::string& column,
                                const std::string& source) {
  const auto found = std::find(table.header.begin(), table.header.end(), column);
  if (found != table.header.end()) return std::size_t(found - table.header.begin());
  return fail(ErrorKind::bad_input, fmt::format("{} has no column \"{}\"; its columns are {}",
                                                source, column, fmt::join(table.header, ", ")));
}

}  // namespace assay
