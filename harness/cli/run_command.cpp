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

std::size_t count_unmeasured(const Plan& plan, const PendingWork& pending,
                             const std::vector<Record>& records) {
  std::set<std::string_view> measured;
  for (const auto& record : records)
    if (record.verdict != Verdict::infra) measured.insert(record.measurement_key);
  return static_cast<std::size_t>(std::ranges::count_if(pending.cells, [&](std::size_t cell) {
    return !measured.contains(plan.cells[cell].measurement_key);
  }));
}

/// Everything a run can be told to lack before it starts, so that a fault leaves nothing behind.
Status check_ready(const Plan& plan, const PendingWork& pending, const RunContext& context) {
  ASSAY_CHECK(boards_needed(plan, pending, context));
  std::vector<const Stage*> stages;
  for (std::size_t index : pending.stages)
    stages.push_back(&plan.stages[index]);
  std::set<std::string> data_sets;
  for (std::size_t index : pending.cells)
    data_sets.insert(plan.expansion.configs[plan.cells[index].config].at("data"));
  return preflight(context.cache, stages, data_sets);
}

void print_ending(const Ending& ending, const Options& options, std::size_t unmeasured) {
  for (const auto& failure : ending.failures)
    fmt::print(stderr, "assay: {}: {}\n", failure.task, failure.error.message);
  if (ending.time_was_up && unmeasured > 0)
    fmt::print(stderr, "assay: stopped at {} with {} cells not measured; run again to carry on\n",
               options.until, unmeasured);
}

Result<int> run(const Options& options) {
  std::optional<WallTime> until;
  if (!options.until.empty()) {
    ASSAY_TRY(until, next_time_of_day(options.until, std::chrono::system_clock::now()));
  }
  ASSAY_TRY(auto matrix, load_matrix(options.matrix));
  ASSAY_TRY(auto plan, make_plan(std::move(matrix)));
  if (plan.cells.empty())
    return fail(ErrorKind::bad_input,
                fmt::format("{} has no cell to run: {}", options.matrix,
                            plan.matrix.deploy.on.empty() ? "it has no deploy section"
                                                          : "exclude leaves no configuration"));
  RunContext context{
      StageCache(options.project.cache), {}, options.jobs, command_of(options), options.again};
  ASSAY_TRY(context.inventory, load_inventory(options.project.boards));
  ASSAY_TRY(const auto pending, options.find_pending(plan, context.cache));
  if (!pending.cells.empty()) ASSAY_CHECK(check_ready(plan, pending, context));
  ASSAY_TRY(auto store, Store::open(options.project.store));
  if (!pending.cells.empty())
    fmt::print(stderr, "{}: {} cells, {} to measure, {} stages to run\n", plan.matrix.name,
               plan.cells.size(), pending.cells.size(), pending.stages.size());
  ASSAY_TRY(const auto ending, do_pending(plan, pending, context, store, until));

  const auto folder = options.project.output / plan.matrix.name;
  ASSAY_TRY(auto records, records_of(plan, store));
  const auto unmeasured = count_unmeasured(plan, pending, records);
  const int code = exit_code_of(ending, records, unmeasured);
  if (records.empty()) {  // nothing to report
    print_ending(ending, options, unmeasured);
    return code;
  }
  const auto report = report_of(plan, context.cache, std::move(records), context.command);
  ASSAY_CHECK(note_report(report, store));
  ASSAY_CHECK(write_reports(report, folder / "report"));
  ASSAY_CHECK(link_artifacts(plan, context.cache, folder / "cells"));
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
