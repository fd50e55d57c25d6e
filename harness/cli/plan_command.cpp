// assay plan: what a run would do, before anything runs.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "compress/data/dataset.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/outlook.hpp"
#include "harness/plan/schema.hpp"
#include "harness/run/progress.hpp"
#include "harness/run/selection.hpp"

namespace assay::cli {
namespace {

struct Options : MatrixOptions {
  bool json = false;
  bool all = false;
  bool schema = false;
};

/// Above this the cells are summed up.
constexpr std::size_t listed_cells = 40;

Result<Json> plan_json(const Plan& plan, const RunContext& context, const Outlook& outlook) {
  FitTable fits(plan);
  Json json{{"matrix", plan.matrix.name},
            {"points", plan.expansion.points},
            {"excluded", plan.expansion.excluded},
            {"collapsed", plan.expansion.collapsed},
            {"configurations", plan.expansion.configs.size()},
            {"estimated_seconds", outlook.seconds},
            {"pending_trainings", outlook.trainings},
            {"selection_groups", plan.choice.groups},
            {"selection_undecided", plan.choice.undecided},
            {"notices", plan.expansion.notices},
            {"damaged", outlook.pending.damaged},
            {"stages", Json::array()},
            {"cells", Json::array()}};
  for (const auto& stage : plan.stages)
    json["stages"].push_back({{"kind", to_string(stage.kind)},
                              {"label", stage.label},
                              {"key", stage.key},
                              {"cached", context.cache.has(stage)}});
  const std::set<std::size_t> pending(outlook.pending.cells.begin(), outlook.pending.cells.end());
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const auto& cell = plan.cells[i];
    Json listed{{"label", cell.label},
                {"cell_id", cell.cell_id},
                {"config", plan.expansion.configs[cell.config].json()},
                {"on_board", cell.placement.has_value()},
                {"selected", plan.choice.best.contains(cell.config)},
                {"measured", !pending.contains(i)}};
    ASSAY_TRY(const auto fit, fits.of(cell));
    if (fit) {
      listed["fits"] = fit->fits();
      listed["flash_bytes"] = fit->flash_needed.count();
      listed["ram_bytes"] = fit->ram_needed.count();
    }
    json["cells"].push_back(std::move(listed));
  }
  return json;
}

std::string kilobytes(Bytes bytes) {
  return fmt::format("{:.1f}KB", static_cast<double>(bytes.count()) / 1024);
}

Status print_cells(const Plan& plan, const Outlook& outlook) {
  FitTable fits(plan);
  std::size_t width = 4;
  for (const auto& cell : plan.cells)
    width = std::max(width, cell.label.size());
  const std::set<std::size_t> pending(outlook.pending.cells.begin(), outlook.pending.cells.end());
  const bool boards =
      std::ranges::any_of(plan.cells, [](const Cell& cell) { return cell.placement.has_value(); });
  fmt::print("\n{:<{}}  {}", "cell", width, "measured");
  fmt::print("{}\n",
             boards ? fmt::format("  {:>9}  {:>8}  fit, as estimated", "flash ~", "RAM ~") : "");
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    ASSAY_TRY(const auto fit, fits.of(plan.cells[i]));
    fmt::print("{:<{}}  {:<8}", plan.cells[i].label, width, pending.contains(i) ? "no" : "yes");
    if (fit)
      fmt::print("  {:>9}  {:>8}  {}", kilobytes(fit->flash_needed), kilobytes(fit->ram_needed),
                 fit->sentence());
    fmt::print("\n");
  }
  return {};
}

/// Networks of unknown shapes train for an unknown time.
bool all_estimated(const Plan& plan, const PendingWork& pending) {
  return std::ranges::all_of(pending.stages, [&](std::size_t stage) {
    return plan.stages[stage].estimated_seconds.has_value();
  });
}

/// The cells of one target together.
struct TargetSum {
  std::size_t cells = 0;
  std::size_t measured = 0;
  std::size_t not_fitting = 0;
  bool board = false;
};

/// A line a target in place of one a cell.
Status print_sums(const Plan& plan, const Outlook& outlook, const std::string& matrix) {
  FitTable fits(plan);
  const std::set<std::size_t> pending(outlook.pending.cells.begin(), outlook.pending.cells.end());
  std::map<std::string, TargetSum> sums;
  std::size_t width = 6;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const auto& label = plan.cells[i].label;
    const auto target = label.substr(label.find('@') + 1);
    ASSAY_TRY(const auto fit, fits.of(plan.cells[i]));
    TargetSum& sum = sums[target];
    ++sum.cells;
    sum.measured += !pending.contains(i);
    sum.not_fitting += fit && !fit->fits();
    sum.board = fit.has_value();
    width = std::max(width, target.size());
  }
  fmt::print("\n{:<{}}  {:>6}  {:>8}  fit, as estimated\n", "target", width, "cells", "measured");
  for (const auto& [target, sum] : sums)
    fmt::print("{:<{}}  {:>6}  {:>8}  {}\n", target, width, sum.cells, sum.measured,
               !sum.board             ? "no board is needed"
               : sum.not_fitting == 0 ? "all fit"
                                      : fmt::format("{} do not fit", sum.not_fitting));
  fmt::print("Cell by cell: assay plan {} --all\n", matrix);
  return {};
}

void print_stages(const Outlook& outlook) {
  fmt::print("\n{:<16}  {:>6}  {:>6}\n", "stage", "count", "cached");
  for (const auto& [kind, counts] : outlook.kinds)
    fmt::print("{:<16}  {:>6}  {:>6}\n", kind, counts.first, counts.second);
}

void print_work(const Plan& plan, const RunContext& context, const Outlook& outlook) {
  const auto& pending = outlook.pending;
  if (pending.cells.empty()) return fmt::print("\nNothing to do.\n");
  const auto boards = std::ranges::count_if(
      pending.cells, [&](std::size_t cell) { return plan.cells[cell].placement.has_value(); });
  fmt::print(
      "\nTo do: {} stages, {} of them trainings, then {} measurements on boards and {} records of "
      "the host: {} {} with {} training processes.\n",
      pending.stages.size(), outlook.trainings, boards,
      static_cast<std::ptrdiff_t>(pending.cells.size()) - boards,
      all_estimated(plan, pending) ? "about" : "at least", duration_text(outlook.seconds),
      context.jobs);
  for (const auto& sentence : pending.damaged)
    fmt::print("{}; a run makes it again\n", sentence);
}

void print_choice(const Plan& plan) {
  const auto& selection = plan.matrix.deploy.selection;
  if (!selection) return;
  const auto decided = plan.choice.groups - plan.choice.undecided;
  if (decided > 0)
    fmt::print("selected: {} configurations, the best by {} of {} groups over {}{}\n",
               plan.choice.best.size(), criterion(*selection), decided,
               fmt::join(selection->over, ", "),
               selection->by_test ? ", which flatters the result" : "");
  if (plan.choice.undecided == 0) return;
  fmt::print("to be selected: the best of {} more groups, when all in them is evaluated{}\n",
             plan.choice.undecided,
             plan.matrix.deploy.on.empty()
                 ? ""
                 : fmt::format("; each goes to {} board types then", plan.matrix.deploy.on.size()));
}

/// The boards and the data that the pending cells need.
Status check_needs(const Plan& plan, const PendingWork& pending, const RunContext& context) {
  ASSAY_CHECK(check_boards(plan, pending, context));
  std::set<std::string> data_sets;
  for (const std::size_t cell : pending.cells)
    data_sets.insert(plan.expansion.configs[plan.cells[cell].config].at("data"));
  for (const auto& name : data_sets)
    ASSAY_CHECK(verify_dataset(name));
  return {};
}

Status print_plan(const Plan& plan, const RunContext& context, const Outlook& outlook,
                  const Options& options) {
  const auto& expansion = plan.expansion;
  const auto swept = expansion.points - expansion.excluded - expansion.collapsed;
  fmt::print(
      "{}: {} points - {} excluded - {} the same experiment as another + {} baselines = {} "
      "configurations\n",
      plan.matrix.name, expansion.points, expansion.excluded, expansion.collapsed,
      expansion.configs.size() - swept, expansion.configs.size());
  fmt::print("cells: {}; board types: {}; measured already: {}\n", plan.cells.size(),
             plan.matrix.deploy.on.size(), plan.cells.size() - outlook.pending.cells.size());
  for (const auto& sentence : expansion.notices)
    fmt::print("{}: {}\n", plan.matrix.name, sentence);
  print_choice(plan);
  const bool listed = options.all || plan.cells.size() <= listed_cells;
  ASSAY_CHECK(listed ? print_cells(plan, outlook) : print_sums(plan, outlook, options.matrix));
  print_stages(outlook);
  print_work(plan, context, outlook);
  if (const auto ready = check_needs(plan, outlook.pending, context); !ready)
    fmt::print("A run would stop at once: {}\n", ready.error().message);
  return {};
}

Result<int> run(const Options& options) {
  if (options.schema) {
    fmt::print("{}\n", matrix_schema().dump(2));
    return 0;
  }
  ASSAY_TRY(auto plan, options.load_plan());
  RunContext context{StageCache(options.project.cache), {}, options.jobs, "", options.again};
  ASSAY_TRY(context.inventory, load_inventory(options.project.boards));
  ASSAY_TRY(const auto scores, recorded_scores(plan, options.project.store));
  ASSAY_CHECK(place_cells(plan, scores));
  ASSAY_TRY(const auto outlook, look_ahead(plan, context, options));
  if (options.json) {
    ASSAY_TRY(const auto json, plan_json(plan, context, outlook));
    fmt::print("{}\n", json.dump(2));
  } else {
    ASSAY_CHECK(print_plan(plan, context, outlook, options));
  }
  return 0;
}

}  // namespace

Action declare_plan(CLI::App& app) {
  auto options = std::make_shared<Options>();
  auto* schema = app.add_flag("--schema", options->schema, "Print the JSON Schema of matrix files");
  app.add_option("matrix", options->matrix, "Matrix file")->excludes(schema);
  app.add_flag("--json", options->json, "Machine-readable");
  app.add_flag("--all", options->all,
               fmt::format("List every cell, also of more than {}", listed_cells));
  options->add_to(app);
  return [options]() -> Result<int> {
    if (options->matrix.empty() && !options->schema)
      return fail(ErrorKind::bad_input, "plan needs a matrix file; see assay plan --help");
    return run(*options);
  };
}

}  // namespace assay::cli
