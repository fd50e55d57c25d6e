// assay run: everything a matrix asks for.
#include <fmt/core.h>

#include <memory>
#include <thread>

#include "harness/cli/command.hpp"
#include "harness/cli/project.hpp"
#include "harness/core/interrupt.hpp"
#include "harness/run/preflight.hpp"
#include "harness/run/publish.hpp"
#include "harness/run/run_matrix.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  std::string matrix;
  std::size_t jobs = std::max(1u, std::thread::hardware_concurrency());
  bool json = false;
};

/// The worst thing that happened decides the exit code.
int exit_code_of(const std::vector<RunFailure>& failures, const std::vector<Record>& records,
                 std::size_t cells) {
  int code = 0;
  for (const auto& record : records)
    if (record.verdict == Verdict::fail) code = exit_code(ErrorKind::failed_verdict);
  if (records.size() < cells) code = exit_code(ErrorKind::infrastructure);
  for (const auto& failure : failures)
    if (failure.error.kind == ErrorKind::bad_input) code = exit_code(ErrorKind::bad_input);
  return code;
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

void print_failures(const std::vector<RunFailure>& failures) {
  for (const auto& failure : failures)
    fmt::print(stderr, "assay: {}: {}\n", failure.task, failure.error.message);
}

Result<int> run(const Options& options) {
  ASSAY_TRY(auto matrix, load_matrix(options.matrix));
  ASSAY_TRY(auto plan, make_plan(std::move(matrix)));
  if (plan.cells.empty())
    return fail(ErrorKind::bad_input,
                fmt::format("{} has no cell to run: {}", options.matrix,
                            plan.matrix.deploy.on.empty() ? "it has no deploy section"
                                                          : "exclude leaves no configuration"));
  RunContext context{StageCache(options.project.cache),
                     {},
                     options.jobs,
                     fmt::format("assay run {}", options.matrix)};
  ASSAY_TRY(context.inventory, load_inventory(options.project.boards));
  ASSAY_TRY(const auto pending, find_pending(plan, context.cache, options.project.store));
  if (!pending.cells.empty()) ASSAY_CHECK(check_ready(plan, pending, context));
  ASSAY_TRY(auto store, Store::open(options.project.store));
  if (!pending.cells.empty())
    fmt::print(stderr, "{}: {} cells, {} to measure, {} stages to run\n", plan.matrix.name,
               plan.cells.size(), pending.cells.size(), pending.stages.size());
  ASSAY_TRY(const auto failures,
            run_plan(plan, pending, context, store, install_interrupt_handler()));

  const auto folder = options.project.output / plan.matrix.name;
  ASSAY_TRY(auto records, records_of(plan, store));
  if (records.empty()) {  // nothing to report
    print_failures(failures);
    return exit_code_of(failures, records, plan.cells.size());
  }
  const auto report = report_of(plan, context.cache, std::move(records), context.command);
  ASSAY_CHECK(write_reports(report, folder / "report"));
  ASSAY_CHECK(link_artifacts(plan, context.cache, folder / "cells"));
  fmt::print("{}", options.json ? render_json(report) : render_text(report));
  print_failures(failures);
  if (!options.json)
    fmt::print(
        "\nReport: {}\n",
        std::filesystem::absolute(folder / "report" / "index.html").lexically_normal().string());
  return exit_code_of(failures, report.records, plan.cells.size());
}

}  // namespace

Action declare_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("matrix", options->matrix, "Matrix file")->required();
  app.add_option("--jobs", options->jobs, "Training processes at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_flag("--json", options->json, "Print the records as JSON instead of the table");
  options->project.add_store(app);
  options->project.add_boards(app);
  options->project.add_output(app);
  options->project.add_cache(app);
  return [options] { return run(*options); };
}

}  // namespace assay::cli
