// What the verbs that take a matrix file share: its path, which of its cells, and how many training
// processes.
#pragma once

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <thread>

#include "harness/cli/project.hpp"
#include "harness/core/calibration_file.hpp"
#include "harness/plan/filter.hpp"
#include "harness/plan/plan.hpp"
#include "harness/run/run_matrix.hpp"

namespace assay::cli {

struct MatrixOptions {
  Project project;
  std::string matrix;
  std::string only;
  bool again = false;
  std::size_t jobs = std::max(1u, std::thread::hardware_concurrency());

  /// Declares all but the matrix file itself.
  void add_to(CLI::App& app) {
    app.add_option("--only", only, "Only cells with these values, as in 'student.cut=4,seed=1'");
    app.add_flag("--again", again, "Measure cells with a failed verdict again");
    app.add_option("--jobs", jobs, "Training processes at once")
        ->capture_default_str()
        ->check(CLI::Range(1, 1024));
    project.add_store(app);
    project.add_boards(app);
    project.add_cache(app);
  }

  /// What the matrix file asks for, with the project's calibrations. Errors: as load_matrix and
  /// make_plan, behind the file's name; those of load_calibration.
  Result<Plan> load_plan() const {
    ASSAY_TRY(auto loaded, load_matrix(matrix));
    Calibrations calibrations;
    for (const auto& target : loaded.deploy.on) {
      const Part& part = target.board_type.part;
      ASSAY_TRY(auto found, load_calibration(project.store, part));
      if (found) calibrations[part.name] = std::move(*found);
    }
    auto plan = make_plan(std::move(loaded), std::move(calibrations));
    if (!plan) return fail(plan.error().kind, fmt::format("{}: {}", matrix, plan.error().message));
    return plan;
  }

  /// The pending work of the plan, or of its cells on boards, as far as --only wants it. Errors:
  /// bad_input when the filter is not one, or matches no cell; the store's.
  Result<PendingWork> find_pending(const Plan& plan, const StageCache& cache,
                                   bool on_boards_only = false) const {
    auto filter = parse_filter(only);
    if (!filter) return fail(ErrorKind::bad_input, "--only: " + filter.error().message);
    const auto wanted = [&](const Cell& cell) {
      return matches(plan.expansion.configs[cell.config], *filter);
    };
    if (!plan.cells.empty() && std::ranges::none_of(plan.cells, wanted))
      return fail(ErrorKind::bad_input, fmt::format("no cell of {} has {}", matrix, only));
    return assay::find_pending(
        plan, cache, project.store,
        [&](const Cell& cell) { return wanted(cell) && (cell.placement || !on_boards_only); },
        again);
  }
};

}  // namespace assay::cli
