// assay run: everything a matrix asks for.
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "harness/cli/command.hpp"
#include "harness/cli/matrix_options.hpp"
#include "harness/core/interrupt.hpp"
#include "harness/run/preflight.hpp"
#include "harness/run/publish.hpp"
#include "harness/run/selection.hpp"
#include "harness/run/timed_stop.hpp"

namespace assay::cli {
namespace {

struct Options : MatrixOptions {
  std::string until;
  bool json = false;
};

/// The command that measures the same again.
std::string command_of(const Options& options) {
  const Options usual;
  std::string command = fmt::format("assay run {}", options.matrix);
  if (options.project.boards != usual.project.boards)
    command += " --boards " + options.project.boards.string();
  return command;
}

/// How the pending work ended.
struct Ending {
  std::vector<RunFailure> failures;
  bool time_was_up = false;
};

/// The worst thing that happened decides the exit code.
int exit_code_of(const Ending& ending, const std::vector<Record>& records, std::size_t unmeasured) {
  int code = 0;
  for (const auto& record : records)
    if (record.verdict == Verdict::fail) code = exit_code(ErrorKind::failed_verdict);
  if (unmeasured > 0)
    code = exit_code(ending.time_was_up ? ErrorKind::interrupted : ErrorKind::infrastructure);
  for (const auto& failure : ending.failures)
    if (failure.error.kind == ErrorKind::bad_input) code = exit_code(ErrorKind::bad_input);
  return code;
}

/// Does the pending work, until the time that the user set.
Result<Ending> do_pending(const Plan& plan, const PendingWork& pending, const RunContext& context,
                          Store& store, std::optional<WallTime> until) {
  const auto interrupt = install_interrupt_handler();
  const TimedStop stop(interrupt, until);
  auto failures = run_plan(plan, pending, context, store, stop.token());
  Ending ending;
  ending.time_was_up = stop.time_is_up() && !interrupt.stop_requested();
  if (failures)
    ending.failures = std::move(*failures);
  else if (!(ending.time_was_up && failures.error().kind == ErrorKind::interrupted))
    return tl::unexpected(std::move(failures).error());
  return ending;
}

/// Cells of the plan that were to be measured and have no result.
std::size_t count_unmeasured(const Plan& plan, const std::set<std::string>& wanted,
                             const std::vector<Record>& records) {
  std::set<std::string_view> measured;
  for (const auto& record : records)
    if (record.verdict != Verdict::infra) measured.insert(record.measurement_key);
  return static_cast<std::size_t>(std::ranges::count_if(plan.cells, [&](const Cell& cell) {
    return wanted.contains(cell.measurement_key) && !measured.contains(cell.measurement_key);
  }));
}

bool runs_linux(const Plan& plan, const Placement& placement) {
  return plan.matrix.deploy.on[placement.target].board_type.part.runs_linux();
}

/// Everything a run can be told to lack before it starts, so that a fault leaves nothing behind.
Status check_ready(const Plan& plan, const PendingWork& pending, const RunContext& context) {
  ASSAY_CHECK(check_boards(plan, pending, context));
  std::vector<const Stage*> stages;
  for (std::size_t index : pending.stages)
    stages.push_back(&plan.stages[index]);
  std::set<std::string> data_sets;
  bool on_boards = plan.choice.undecided > 0 && !plan.matrix.deploy.on.empty();
  for (std::size_t index : pending.cells) {
    const Cell& cell = plan.cells[index];
    data_sets.insert(plan.expansion.configs[cell.config].at("data"));
    on_boards = on_boards || (cell.placement && !runs_linux(plan, *cell.placement));
  }
  return preflight(context.cache, stages, data_sets, on_boards);
}

void print_ending(const Ending& ending, const Options& options, std::size_t unmeasured) {
  for (const auto& failure : ending.failures)
    fmt::print(stderr, "assay: {}: {}\n", failure.task, failure.error.message);
  if (ending.time_was_up && unmeasured > 0)
    fmt::print(stderr, "assay: stopped at {} with {} cells not measured; run again to carry on\n",
               options.until, unmeasured);
}

/// What was to be done, and how it ended.
struct Work {
  std::set<std::string> keys;  ///< measurement keys of the cells that were pending
  Ending ending;
};

/// Does what is missing of the plan's cells, or of those on boards.
Result<Work> do_round(const Plan& plan, const Options& options, const RunContext& context,
                      std::optional<WallTime> until, bool on_boards_only) {
  const auto start = std::chrono::system_clock::now();
  ASSAY_TRY(auto pending, options.find_pending(plan, context.cache, on_boards_only));
  std::optional<RunMark> mark;
  if (!pending.cells.empty()) {
    ASSAY_CHECK(check_ready(plan, pending, context));
    ASSAY_CHECK(check_output(options.project.output / plan.matrix.name));
    ASSAY_TRY(auto begun, RunMark::begin(context.cache, start));
    mark.emplace(std::move(begun));
  }
  ASSAY_TRY(auto store, Store::open(options.project.store));
  if (!pending.cells.empty())
    fmt::print(stderr, "{}: {} cells, {} to measure, {} stages to run\n", plan.matrix.name,
               plan.cells.size(), pending.cells.size(), pending.stages.size());
  for (const auto& sentence : pending.damaged)
    fmt::print(stderr, "assay: {}; it is made again\n", sentence);
  Work work;
  for (const std::size_t cell : pending.cells)
    work.keys.insert(plan.cells[cell].measurement_key);
  ASSAY_TRY(work.ending, do_pending(plan, pending, context, store, until));
  return work;
}

/// Does everything that is missing. A selection is made between two rounds: when all its candidates
/// have records, the best of them go to the boards.
Result<Work> do_work(Plan& plan, const Options& options, const RunContext& context,
                     std::optional<WallTime> until) {
  ASSAY_TRY(const auto scores, recorded_scores(plan, options.project.store));
  ASSAY_CHECK(place_cells(plan, scores));
  ASSAY_TRY(auto work, do_round(plan, options, context, until, false));
  if (plan.choice.undecided == 0 || work.ending.time_was_up) return work;
  ASSAY_TRY(const auto new_scores, recorded_scores(plan, options.project.store));
  ASSAY_CHECK(place_cells(plan, new_scores));
  ASSAY_TRY(auto chosen, do_round(plan, options, context, until, true));
  chosen.keys.merge(work.keys);
  auto& failures = chosen.ending.failures;
  failures.insert(failures.begin(), work.ending.failures.begin(), work.ending.failures.end());
  return chosen;
}

Result<int> run(const Options& options) {
  std::optional<WallTime> until;
  if (!options.until.empty()) {
    ASSAY_TRY(until, next_time_of_day(options.until, std::chrono::system_clock::now()));
  }
  ASSAY_TRY(auto plan, options.load_plan());
  if (plan.cells.empty())
    return fail(
        ErrorKind::bad_input,
        fmt::format("{} has no cell to run: exclude leaves no configuration", options.matrix));
  for (const auto& sentence : plan.expansion.notices)
    fmt::print(stderr, "{}: {}\n", plan.matrix.name, sentence);
  RunContext context{
      StageCache(options.project.cache), {}, options.jobs, command_of(options), options.again};
  ASSAY_TRY(context.inventory, load_inventory(options.project.boards));
  ASSAY_TRY(const auto work, do_work(plan, options, context, until));
  const Ending& ending = work.ending;
  ASSAY_TRY(auto store, Store::open(options.project.store));

  const auto folder = options.project.output / plan.matrix.name;
  ASSAY_TRY(auto records, records_of(plan, store));
  const auto unmeasured = count_unmeasured(plan, work.keys, records);
  const int code = exit_code_of(ending, records, unmeasured);
  if (records.empty()) {  // nothing to report
    print_ending(ending, options, unmeasured);
    return code;
  }
  const auto report = report_of(plan, context.cache, std::move(records), context.command);
  ASSAY_CHECK(note_report(report, store));
  ASSAY_CHECK(write_reports(report, folder / "report"));
  ASSAY_TRY(const auto damaged, link_artifacts(plan, context.cache, folder / "cells"));
  for (const auto& sentence : damaged)
    fmt::print(stderr, "assay: {}; it is not linked in {}\n", sentence,
               (folder / "cells").string());
  fmt::print("{}", options.json ? render_json(report) : render_text(report));
  print_ending(ending, options, unmeasured);
  if (!options.json)
    fmt::print(
        "\nReport: {}\n",
        std::filesystem::absolute(folder / "report" / "index.html").lexically_normal().string());
  return code;
}

}  // namespace

Action declare_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("matrix", options->matrix, "Matrix file")->required();
  app.add_option("--until", options->until, "Stop at this time of day, as in 06:00");
  app.add_flag("--json", options->json, "Print the records as JSON instead of the table");
  options->add_to(app);
  options->project.add_output(app);
  return [options] { return run(*options); };
}

}  // namespace assay::cli
