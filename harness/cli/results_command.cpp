// assay results: list, export and merge stored records. Tables show the newest record of a cell on
// a board; JSON and CSV have every one.
#include <fmt/core.h>

#include <memory>
#include <regex>
#include <set>

#include "harness/cli/command.hpp"
#include "harness/cli/project.hpp"
#include "reports/grouping.hpp"
#include "reports/report.hpp"
#include "results/store.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  Filter filter;
  std::string verdict;
  std::string format = "text";
  std::string merge_from;
  bool json = false;
};

Result<int> merge(const Options& options) {
  ASSAY_TRY(auto other, Store::open(options.merge_from, Store::Mode::must_exist));
  ASSAY_TRY(auto store, Store::open(options.project.store));
  ASSAY_TRY(const auto count, store.merge(other));
  fmt::print("{} records added, {} were there already\n", count.added + count.replaced,
             count.existed);
  return 0;
}

/// "2026-01-31", "2026-01-31T12:34" or more of what records have.
bool is_moment(const std::string& text) {
  static const std::regex moment(R"(\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?)");
  return std::regex_match(text, moment);
}

/// What is known of the selections of the records' matrices, as a report's context.
Result<Json> selections_of(const std::vector<Record>& records, Store& store) {
  std::set<std::string> matrices;
  for (const auto& record : records)
    matrices.insert(record.matrix);
  Json selections = Json::array();
  for (const auto& matrix : matrices) {
    ASSAY_TRY(const auto context, store.run_context(matrix));
    if (context.is_object() && context.contains("selections"))
      selections.insert(selections.end(), context.at("selections").begin(),
                        context.at("selections").end());
  }
  return selections.empty() ? Json() : Json{{"selections", selections}};
}

Result<int> list(const Options& options) {
  if (options.filter.since && !is_moment(*options.filter.since))
    return fail(ErrorKind::bad_input,
                fmt::format("--since: \"{}\" is not a day or moment, as in 2026-01-31 or "
                            "2026-01-31T06:00:00Z",
                            *options.filter.since));
  ASSAY_TRY(auto store, Store::open(options.project.store, Store::Mode::must_exist));
  Filter filter = options.filter;
  if (!options.verdict.empty()) {
    ASSAY_TRY(filter.verdict, parse_verdict(options.verdict));
  }
  ASSAY_TRY(auto records, store.query(filter));
  const auto* format = find_report_format(options.json ? "json" : options.format);
  ReportInput input;
  input.title = filter.matrix.value_or("results");
  ASSAY_TRY(input.context, selections_of(records, store));
  input.records = format->complete
                      ? std::move(records)
                      : without_superseded_hosts(newest_of_each_cell(std::move(records)));
  if (input.records.empty() && !options.json) {
    fmt::print("no records match\n");
    return 0;
  }
  fmt::print("{}", format->render(input));
  return 0;
}

}  // namespace

Action declare_results(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->project.add_store(app);
  app.add_option("--matrix", options->filter.matrix, "Only records of this matrix");
  app.add_option("--label", options->filter.label, "Only this configuration");
  app.add_option("--board-type", options->filter.board_type, "Only this board type");
  app.add_option("--board", options->filter.board, "Only this board");
  app.add_option("--since", options->filter.since, "Only records from this day or moment (UTC)");
  app.add_option("--verdict", options->verdict, "Only pass, fail or infra");
  std::vector<std::string> names;
  for (const auto& format : report_formats())
    names.emplace_back(format.name);
  app.add_option("--format", options->format, "How to print them")
      ->capture_default_str()
      ->check(CLI::IsMember(names));
  app.add_flag("--json", options->json, "Machine-readable, everything");
  app.add_option("--merge", options->merge_from, "Take the records of another database in");
  return [options] { return options->merge_from.empty() ? list(*options) : merge(*options); };
}

}  // namespace assay::cli
