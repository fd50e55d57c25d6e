#include "harness/run/run_matrix.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "boards/station/lock.hpp"
#include "harness/plan/estimate.hpp"
#include "harness/plan/shape_model.hpp"
#include "harness/run/measurement.hpp"
#include "harness/run/progress.hpp"
#include "harness/run/stage_runner.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* cpu_lane = "cpu";

std::string board_lane(const DeployTarget& target) {
  return fmt::format("{}{}", target.virtual_board ? "virtual:" : "", target.board_type.name);
}

/// The boards a target may use.
std::vector<Board> boards_for(const DeployTarget& target, const std::vector<Board>& inventory) {
  std::vector<Board> fitting;
  for (const auto& board : inventory)
    if (board.type.name == target.board_type.name && board.virtual_board == target.virtual_board)
      fitting.push_back(board);
  if (fitting.empty() && target.virtual_board)
    fitting.push_back(implicit_virtual_board(target.board_type));
  return fitting;
}

/// The stages that have to run so that others are there.
class NeededStages {
 public:
  NeededStages(const Plan& plan, const StageCache& cache) : plan_(plan), cache_(cache) {}

  void need(std::size_t index) {
    if (!seen_.insert(index).second || is_whole(plan_.stages[index])) return;
    stages_.insert(index);
    for (const auto& input : plan_.stages[index].inputs)
      need(input.stage);
  }
  const std::set<std::size_t>& stages() const { return stages_; }
  const std::vector<std::string>& damaged() const { return damaged_; }

 private:
  bool is_whole(const Stage& stage) {
    if (!cache_.has(stage)) return false;
    const auto whole = cache_.check(stage);
    if (whole) cache_.touch(stage);  // counted on
    if (!whole) damaged_.push_back(whole.error().message);
    return whole.has_value();
  }

  const Plan& plan_;
  const StageCache& cache_;
  std::set<std::size_t> seen_;
  std::set<std::size_t> stages_;
  std::vector<std::string> damaged_;
};

std::vector<std::size_t> stages_of(const Plan& plan, const Cell& cell) {
  const auto& config = plan.configs[cell.config];
  std::vector<std::size_t> stages = config.learned;
  for (const std::size_t stage : {config.evaluate_float, config.quantize, config.evaluate})
    stages.push_back(stage);
  if (cell.placement) stages.push_back(cell.placement->firmware);
  if (config.teacher_evaluate_float) stages.push_back(*config.teacher_evaluate_float);
  return stages;
}

void add_needed_stages(const Plan& plan, const StageCache& cache, PendingWork& pending) {
  NeededStages needed(plan, cache);
  for (std::size_t cell : pending.cells)
    for (std::size_t stage : stages_of(plan, plan.cells[cell]))
      needed.need(stage);
  pending.stages.assign(needed.stages().begin(), needed.stages().end());
  pending.damaged = needed.damaged();
}

/// Errors: infrastructure when a result was damaged after the run had counted on it.
Status check_result(const StageCache& cache, const Stage& stage) {
  const auto whole = cache.check(stage);
  if (whole) return {};
  return fail(whole.error().kind, whole.error().message + "; run again, which makes it anew");
}

Record identity_of(const Plan& plan, const Cell& cell, const std::string& command) {
  const Config& config = plan.expansion.configs[cell.config];
  Record record;
  record.measurement_key = cell.measurement_key;
  record.cell_id = cell.cell_id;
  record.config_id = config.config_id();
  record.group_id = config.group_id();
  record.matrix = plan.matrix.name;
  record.label = cell.label.substr(0, cell.label.find('@'));
  record.config = config.json();
  record.command = command;
  return record;
}

std::vector<std::string> measurement_keys(const Plan& plan) {
  std::vector<std::string> keys;
  for (const auto& cell : plan.cells)
    keys.push_back(cell.measurement_key);
  return keys;
}

Result<std::vector<Board>> boards_of(const Plan& plan, const std::set<std::size_t>& targets,
                                     const RunContext& context) {
  std::vector<Board> boards;
  std::set<std::string> lanes;
  for (const std::size_t index : targets) {
    const auto& target = plan.matrix.deploy.on[index];
    if (!lanes.insert(board_lane(target)).second) continue;
    const auto fitting = boards_for(target, context.inventory);
    if (fitting.empty())
      return fail(
          ErrorKind::bad_input,
          fmt::format(
              "no board of type {} in the inventory; add one to boards.json (docs/boards.md "
              "says how), or say \"virtual\": true in the matrix",
              target.board_type.name));
    boards.insert(boards.end(), fitting.begin(), fitting.end());
  }
  return boards;
}

/// Everything the tasks of one run share.
class Run {
 public:
  Run(const Plan& plan, const RunContext& context, Store& store, Desk& desk)
      : plan_(plan), context_(context), store_(store), desk_(desk) {}

  void attach(Progress& progress) { progress_ = &progress; }

  Status do_stage(std::size_t task, std::size_t index, std::stop_token stop) {
    const Stage& stage = plan_.stages[index];
    const StageCache& cache = context_.cache;
    std::map<std::string, fs::path> inputs;
    for (const auto& input : stage.inputs) {
      ASSAY_CHECK(check_result(cache, plan_.stages[input.stage]));
      inputs[input.name] = cache.path(plan_.stages[input.stage]) / input.file;
    }
    ASSAY_CHECK(ensure_stage(
        cache, stage, inputs,
        [&](double fraction, const std::string& message) {
          progress_->update(task, fraction, message);
        },
        stop));
    return {};
  }

  /// `board` is where a deployed cell is measured.
  Status do_cell(const Cell& cell, const Board* board, std::stop_token stop) {
    const Config& config = plan_.expansion.configs[cell.config];
    MeasurementOrder order;
    order.identity = identity_of(plan_, cell, context_.command);
    order.artifacts = artifacts_of(plan_, cell, context_.cache);
    order.data = config.at("data").get<std::string>();
    const Stage& evaluation = plan_.stages[plan_.configs[cell.config].evaluate];
    order.fingerprint = evaluation.settings.at("fingerprint").get<std::string>();
    order.samples = plan_.matrix.deploy.samples;
    if (board) order.calibration = calibration_of(plan_, board->type.part);
    ASSAY_TRY(order.reference_bytes, reference_model_bytes(config));
    for (std::size_t stage : stages_of(plan_, cell)) {
      ASSAY_CHECK(check_result(context_.cache, plan_.stages[stage]));
      context_.cache.touch(plan_.stages[stage]);
    }
    ASSAY_TRY(const auto record,
              board ? measure_cell(order, desk_, *board, stop) : record_on_host(order));
    ASSAY_CHECK(store_.insert(record, context_.again));
    return {};
  }

 private:
  const Plan& plan_;
  const RunContext& context_;
  Store& store_;
  Desk& desk_;
  Progress* progress_ = nullptr;
};

}  // namespace

CellArtifacts artifacts_of(const Plan& plan, const Cell& cell, const StageCache& cache) {
  const auto& config = plan.configs[cell.config];
  const auto at = [&](std::size_t stage) { return cache.path(plan.stages[stage]); };
  CellArtifacts artifacts;
  for (const std::size_t stage : config.learned)
    artifacts.learned.push_back(at(stage));
  artifacts.float_model = at(config.float_model) / "model.onnx";
  artifacts.evaluate_float = at(config.evaluate_float);
  artifacts.model = at(config.quantize) / "model.onnx";
  artifacts.evaluate = at(config.evaluate);
  if (cell.placement) artifacts.firmware = at(cell.placement->firmware);
  return artifacts;
}

Result<PendingWork> find_pending(const Plan& plan, const StageCache& cache, const fs::path& store,
                                 const std::function<bool(const Cell&)>& wanted, bool again) {
  std::map<std::string, Record> records;
  std::error_code unreadable;
  if (fs::exists(store, unreadable) || unreadable) {
    ASSAY_TRY(auto opened, Store::open(store, Store::Mode::must_exist));
    ASSAY_TRY(records, opened.find_all(measurement_keys(plan)));
  }
  PendingWork pending;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const auto record = records.find(plan.cells[i].measurement_key);
    const bool measured =
        record != records.end() && (record->second.verdict == Verdict::pass ||
                                    (record->second.verdict == Verdict::fail && !again));
    if (!measured && wanted(plan.cells[i])) pending.cells.push_back(i);
  }
  add_needed_stages(plan, cache, pending);
  return pending;
}

Result<std::vector<Board>> boards_needed(const Plan& plan, const PendingWork& pending,
                                         const RunContext& context) {
  std::set<std::size_t> targets;
  for (std::size_t index : pending.cells)
    if (const auto& placement = plan.cells[index].placement) targets.insert(placement->target);
  return boards_of(plan, targets, context);
}

Status check_boards(const Plan& plan, const PendingWork& pending, const RunContext& context) {
  ASSAY_CHECK(boards_needed(plan, pending, context));
  if (plan.choice.undecided == 0) return {};
  std::set<std::size_t> targets;
  for (std::size_t target = 0; target < plan.matrix.deploy.on.size(); ++target)
    targets.insert(target);
  ASSAY_CHECK(boards_of(plan, targets, context));
  return {};
}

std::map<std::string, std::size_t> lanes_of(const Plan& plan, const RunContext& context) {
  std::map<std::string, std::size_t> lanes{{cpu_lane, context.jobs}};
  for (const auto& target : plan.matrix.deploy.on)
    lanes[board_lane(target)] =
        std::max<std::size_t>(1, boards_for(target, context.inventory).size());
  return lanes;
}

std::vector<Task> outline_tasks(const Plan& plan, const PendingWork& pending) {
  std::vector<Task> tasks;
  std::map<std::size_t, std::size_t> task_of_stage;
  for (std::size_t index : pending.stages) {
    const Stage& stage = plan.stages[index];
    Task task{stage.label, cpu_lane, {}, stage.estimated_seconds.value_or(0), {}};
    for (const auto& input : stage.inputs)
      if (const auto found = task_of_stage.find(input.stage); found != task_of_stage.end())
        task.after.push_back(found->second);
    task_of_stage[index] = tasks.size();
    tasks.push_back(std::move(task));
  }
  for (std::size_t index : pending.cells) {
    const Cell& cell = plan.cells[index];
    Task task{"record " + cell.label, cpu_lane, {}, estimate::host_record_seconds, {}};
    if (cell.placement)
      task = {"measure " + cell.label,
              board_lane(plan.matrix.deploy.on[cell.placement->target]),
              {},
              estimate::measurement_seconds,
              {}};
    for (std::size_t stage : stages_of(plan, cell))
      if (const auto found = task_of_stage.find(stage); found != task_of_stage.end())
        task.after.push_back(found->second);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

Result<std::vector<RunFailure>> run_plan(const Plan& plan, const PendingWork& pending,
                                         const RunContext& context, Store& store,
                                         std::stop_token stop) {
  if (pending.cells.empty()) return std::vector<RunFailure>{};
  ASSAY_TRY(auto boards, boards_needed(plan, pending, context));
  ASSAY_TRY(auto desk, Desk::open(std::move(boards), board_lock_folder()));
  Run run(plan, context, store, desk);

  auto tasks = outline_tasks(plan, pending);
  for (std::size_t i = 0; i < pending.stages.size(); ++i)
    tasks[i].run = [&run, i, index = pending.stages[i]](std::size_t, std::stop_token token) {
      return run.do_stage(i, index, std::move(token));
    };
  for (std::size_t i = 0; i < pending.cells.size(); ++i) {
    const Cell& cell = plan.cells[pending.cells[i]];
    std::vector<Board> fitting;
    if (cell.placement)
      fitting = boards_for(plan.matrix.deploy.on[cell.placement->target], context.inventory);
    tasks[pending.stages.size() + i].run = [&run, &cell, fitting](std::size_t slot,
                                                                  std::stop_token token) {
      return run.do_cell(cell, cell.placement ? &fitting.at(slot) : nullptr, std::move(token));
    };
  }
  const auto lanes = lanes_of(plan, context);
  Progress progress(tasks, estimate_makespan(tasks, lanes));
  run.attach(progress);
  const auto outcomes = execute(
      tasks, lanes,
      {[&](std::size_t task) { progress.started(task); },
       [&](std::size_t task, const TaskOutcome& outcome) { progress.ended(task, outcome); }},
      stop);
  if (stop.stop_requested())
    return fail(ErrorKind::interrupted,
                "interrupted; finished stages and records are kept, run again to carry on");
  std::vector<RunFailure> failures;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (outcomes[i].error) failures.push_back({tasks[i].name, *outcomes[i].error});
  return failures;
}

Result<std::vector<Record>> records_of(const Plan& plan, Store& store) {
  ASSAY_TRY(auto found, store.find_all(measurement_keys(plan)));
  std::vector<Record> records;
  for (const auto& cell : plan.cells)
    if (auto record = found.extract(cell.measurement_key))
      records.push_back(std::move(record.mapped()));
  return records;
}

}  // namespace assay
