// assay plan: what a run would do, before anything runs.
#include <fmt/core.h>

#include <map>
#include <memory>

#include "harness/cli/command.hpp"
#include "harness/cli/matrix_options.hpp"
#include "harness/plan/fit.hpp"
#include "harness/plan/schema.hpp"
#include "harness/run/progress.hpp"

namespace assay::cli {
namespace {

struct Options : MatrixOptions {
  bool json = false;
  bool schema = false;
};

/// Does the network of each cell fit its board type? Networks of equal shape are estimated once.
class FitTable {
 public:
  explicit FitTable(const Plan& plan) : plan_(plan) {}
  Result<FitEstimate> of(const Cell& cell) {
    const Config& config = plan_.expansion.configs[cell.config];
    const auto& type = plan_.matrix.deploy.on[cell.target].board_type;
    const Json student = config.json().at("student");
    const auto key = fmt::format("{} {} {}", student.dump(), config.at("data").dump(), type.name);
    if (const auto known = estimates_.find(key); known != estimates_.end()) return known->second;
    ASSAY_TRY(const auto estimate, estimate_fit(config, type));
    return estimates_[key] = estimate;
  }

 private:
  const Plan& plan_;
  std::map<std::string, FitEstimate> estimates_;
};

struct Outlook {
  PendingWork pending;
  std::map<std::string, std::pair<std::size_t, std::size_t>> kinds;  ///< kind -> stages, cached
  double seconds = 0;
};

Result<Outlook> look_ahead(const Plan& plan, const RunContext& context, const Options& options) {
  Outlook outlook;
  ASSAY_TRY(outlook.pending, options.find_pending(plan, context.cache));
  for (const auto& stage : plan.stages) {
    auto& [count, cached] = outlook.kinds[std::string(to_string(stage.kind))];
    ++count;
    cached += context.cache.has(stage);
  }
  if (!outlook.pending.cells.empty())
    outlook.seconds =
        estimate_makespan(outline_tasks(plan, outlook.pending), lanes_of(plan, context));
  return outlook;
}

Result<Json> plan_json(const Plan& plan, const RunContext& context, const Outlook& outlook) {
  FitTable fits(plan);
  Json json{{"matrix", plan.matrix.name},
            {"points", plan.expansion.points},
            {"excluded", plan.expansion.excluded},
            {"collapsed", plan.expansion.collapsed},
            {"configurations", plan.expansion.configs.size()},
            {"estimated_seconds", outlook.seconds},
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
    ASSAY_TRY(const auto fit, fits.of(cell));
    json["cells"].push_back({{"label", cell.label},
                             {"cell_id", cell.cell_id},
                             {"config", plan.expansion.configs[cell.config].json()},
                             {"fits", fit.fits()},
                             {"flash_bytes", fit.flash_needed.count()},
                             {"ram_bytes", fit.ram_needed.count()},
                             {"measured", !pending.contains(i)}});
  }
  return json;
}

Status print_cells(const Plan& plan, const Outlook& outlook) {
  FitTable fits(plan);
  std::size_t width = 4;
  for (const auto& cell : plan.cells)
    width = std::max(width, cell.label.size());
  const std::set<std::size_t> pending(outlook.pending.cells.begin(), outlook.pending.cells.end());
  fmt::print("\n{:<{}}  {:>9}  {:>8}  {:<10}  fit, as estimated\n", "cell", width, "flash ~",
             "RAM ~", "measured");
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    ASSAY_TRY(const auto fit, fits.of(plan.cells[i]));
    fmt::print("{:<{}}  {:>7.1f}KB  {:>6.1f}KB  {:<10}  {}\n", plan.cells[i].label, width,
               static_cast<double>(fit.flash_needed.count()) / 1024,
               static_cast<double>(fit.ram_needed.count()) / 1024,
               pending.contains(i) ? "no" : "yes", fit.sentence());
  }
  return {};
}

/// Networks of unknown shapes train for an unknown time.
bool all_estimated(const Plan& plan, const PendingWork& pending) {
  return std::ranges::all_of(pending.stages, [&](std::size_t stage) {
    return plan.stages[stage].estimated_seconds.has_value();
  });
}

Status print_plan(const Plan& plan, const RunContext& context, const Outlook& outlook) {
  const auto& expansion = plan.expansion;
  const auto swept = expansion.points - expansion.excluded - expansion.collapsed;
  fmt::print(
      "{}: {} points - {} excluded - {} the same experiment as another + {} baselines = {} "
      "configurations\n",
      plan.matrix.name, expansion.points, expansion.excluded, expansion.collapsed,
      expansion.configs.size() - swept, expansion.configs.size());
  fmt::print("cells: {}; targets: {}; measured already: {}\n", plan.cells.size(),
             plan.matrix.deploy.on.size(), plan.cells.size() - outlook.pending.cells.size());
  ASSAY_CHECK(print_cells(plan, outlook));
  fmt::print("\n{:<16}  {:>6}  {:>6}\n", "stage", "count", "cached");
  for (const auto& [kind, counts] : outlook.kinds)
    fmt::print("{:<16}  {:>6}  {:>6}\n", kind, counts.first, counts.second);
  if (outlook.pending.cells.empty())
    fmt::print("\nNothing to do.\n");
  else
    fmt::print("\nTo do: {} stages, then {} measurements: {} {} with {} training processes.\n",
               outlook.pending.stages.size(), outlook.pending.cells.size(),
               all_estimated(plan, outlook.pending) ? "about" : "at least",
               duration_text(outlook.seconds), context.jobs);
  if (const auto boards = boards_needed(plan, outlook.pending, context); !boards)
    fmt::print("A run would stop at once: {}\n", boards.error().message);
  return {};
}

Result<int> run(const Options& options) {
  if (options.schema) {
    fmt::print("{}\n", matrix_schema().dump(2));
    return 0;
  }
  ASSAY_TRY(auto matrix, load_matrix(options.matrix));
  ASSAY_TRY(const auto plan, make_plan(std::move(matrix)));
  RunContext context{StageCache(options.project.cache), {}, options.jobs, "", options.again};
  ASSAY_TRY(context.inventory, load_inventory(options.project.boards));
  ASSAY_TRY(const auto outlook, look_ahead(plan, context, options));
  if (options.json) {
    ASSAY_TRY(const auto json, plan_json(plan, context, outlook));
    fmt::print("{}\n", json.dump(2));
  } else {
    ASSAY_CHECK(print_plan(plan, context, outlook));
  }
  return 0;
}

}  // namespace

Action declare_plan(CLI::App& app) {
  auto options = std::make_shared<Options>();
  auto* schema = app.add_flag("--schema", options->schema, "Print the JSON Schema of matrix files");
  app.add_option("matrix", options->matrix, "Matrix file")->excludes(schema);
  app.add_flag("--json", options->json, "Machine-readable");
  options->add_to(app);
  return [options]() -> Result<int> {
    if (options->matrix.empty() && !options->schema)
      return fail(ErrorKind::bad_input, "plan needs a matrix file; see assay plan --help");
    return run(*options);
  };
}

}  // namespace assay::cli
