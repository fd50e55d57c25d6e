// assay measure: any ONNX model on a board, without training.
#include <fmt/core.h>

#include <memory>
#include <optional>

#include "boards/station/desk.hpp"
#include "boards/station/lock.hpp"
#include "compress/data/dataset.hpp"
#include "compress/onnx/model.hpp"
#include "harness/cli/board_choice.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/explain.hpp"
#include "harness/cli/goal_options.hpp"
#include "harness/cli/model_stages.hpp"
#include "harness/cli/project.hpp"
#include "harness/core/calibration_file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/interrupt.hpp"
#include "harness/plan/plan.hpp"
#include "harness/run/measurement.hpp"
#include "harness/run/preflight.hpp"
#include "harness/run/stage_runner.hpp"
#include "reports/report.hpp"
#include "results/store.hpp"
#include "targets/graph/lower.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  std::string model;
  std::string on;
  std::string data;
  std::optional<double> clock_mhz;
  GoalOptions goal;
  int samples = 500;
  bool explain = false;
  bool json = false;
};

/// The data set a model was made for: what the user says, else what the file says.
Result<std::string> data_of(const Options& options, const onnx::Model& model) {
  if (!options.data.empty()) return options.data;
  const auto found = model.metadata.find("assay.dataset");
  if (found != model.metadata.end()) return found->second;
  return fail(ErrorKind::bad_input,
              fmt::format("{} does not say which data set it is for; give --data", options.model));
}

/// The command that measures the same again.
std::string command_of(const Options& options) {
  const Options usual;
  std::string command = fmt::format("assay measure {} --on {}", options.model, options.on);
  if (!options.data.empty()) command += " --data " + options.data;
  if (options.clock_mhz) command += fmt::format(" --clock-mhz {}", *options.clock_mhz);
  command += options.goal.text();
  if (options.samples != usual.samples) command += fmt::format(" --samples {}", options.samples);
  if (options.project.boards != usual.project.boards)
    command += " --boards " + options.project.boards.string();
  return command;
}

/// What is to be measured: everything known of it before the first byte is built.
struct Task {
  StageCache cache;
  Stage evaluate;
  FirmwareStages build;
  MeasurementOrder order;
};

/// Whether a result is there to be used; one that is damaged is made again.
bool is_cached(const StageCache& cache, const Stage& stage) {
  if (!cache.has(stage)) return false;
  const auto whole = cache.check(stage);
  if (!whole) fmt::print(stderr, "assay: {}; it is made again\n", whole.error().message);
  return whole.has_value();
}

/// Checks the model, the data and the machine; writes nothing.
Result<Task> prepare(const Options& options, const Board& board) {
  ASSAY_TRY(const auto model, onnx::read_model(options.model));
  ASSAY_TRY(const auto graph, lower(model, options.model));
  ASSAY_TRY(const auto data, data_of(options, model));
  ASSAY_TRY(const auto info, find_dataset(data));
  ASSAY_TRY(const auto hash, sha256_file(options.model));
  Hertz clock = board.type.clock;
  if (options.clock_mhz) {
    auto chosen = core_clock(board.type, *options.clock_mhz);
    if (!chosen) return fail(ErrorKind::bad_input, "--clock-mhz: " + chosen.error().message);
    clock = *chosen;
  }
  const DeployGoal goal = options.goal.goal();
  if (const auto refused = refused_budgets(goal, board.type.part); !refused.empty())
    return fail(ErrorKind::bad_input, refused);
  std::optional<Calibration> calibration;
  if (board.virtual_board || goal.latency_budget) {
    ASSAY_TRY(calibration, load_calibration(options.project.store, board.type.part));
  }
  const Pace pace = pace_of(board.type.part, clock, calibration);
  ASSAY_TRY(auto build, firmware_stages(board.type, pace, goal, hash));
  Task task{StageCache(options.project.cache),
            model_stage(StageKind::evaluate, {{"data", data}, {"fingerprint", info.fingerprint}},
                        hash, evaluation_facts(info)),
            std::move(build),
            {}};
  std::vector<const Stage*> missing;
  for (const Stage* stage : {&task.build.trial, &task.build.firmware, &task.evaluate})
    if (!is_cached(task.cache, *stage)) missing.push_back(stage);
  ASSAY_CHECK(preflight(task.cache, missing, {data}, !board.type.part.runs_linux()));

  MeasurementOrder& order = task.order;
  order.artifacts.model = options.model;
  order.data = data;
  order.fingerprint = info.fingerprint;
  order.samples = options.samples;
  if (board.virtual_board) order.calibration = calibration;
  Record& identity = order.identity;
  identity.config = {{"model_sha256", hash}, {"data", data}};
  identity.config_id = identity.group_id = sha256_hex(canonical_json(identity.config));
  identity.cell_id = sha256_hex(canonical_json({{"config", identity.config_id},
                                                {"board_type", board.type.name},
                                                {"virtual", board.virtual_board},
                                                {"clock_hz", clock.count()},
                                                {"format", arithmetic_of(graph)},
                                                {"goal", to_json(goal)}}));
  identity.matrix = "measure";
  identity.label = std::filesystem::path(options.model).stem();
  identity.command = command_of(options);
  Json key{
      {"cell", identity.cell_id},      {"firmware", task.build.firmware.key},
      {"evaluate", task.evaluate.key}, {"board", board.name},
      {"samples", options.samples},    {"code", measurement_code_version(board.virtual_board)}};
  if (order.calibration) key["calibration"] = to_json(*order.calibration);
  identity.measurement_key = sha256_hex(canonical_json(key));
  return task;
}

/// Builds what the cache has not, and measures.
Result<Record> measure(Task& task, const Board& board, bool with_explanation) {
  const auto stop = install_interrupt_handler();
  std::map<std::string, std::filesystem::path> inputs{{"model", task.order.artifacts.model}};
  const StageProgress quiet = [](double, const std::string&) {};
  auto& artifacts = task.order.artifacts;
  announce_trial(task.cache, task.build, board.type);
  ASSAY_TRY(const auto trial, ensure_stage(task.cache, task.build.trial, inputs, quiet, stop));
  inputs["trial"] = trial / "trial.json";
  ASSAY_TRY(artifacts.firmware, ensure_stage(task.cache, task.build.firmware, inputs, quiet, stop));
  ASSAY_TRY(artifacts.evaluate, ensure_stage(task.cache, task.evaluate, inputs, quiet, stop));
  if (with_explanation) {
    ASSAY_TRY(const auto facts, read_firmware_facts(artifacts.firmware));
    fmt::print("{}{}\n", explain_table(facts.build.at("layers")),
               explain_strips(facts.build.value("strips", Json())));
  }
  ASSAY_TRY(auto desk, Desk::open({board}, board_lock_folder()));
  return measure_cell(task.order, desk, board, stop);
}

Result<int> run(const Options& options) {
  ASSAY_TRY(const auto board, choose_board(options.on, options.project.boards));
  ASSAY_TRY(auto task, prepare(options, board));
  ASSAY_TRY(auto store, Store::open(options.project.store));
  ASSAY_TRY(const auto record, measure(task, board, options.explain && !options.json));
  ASSAY_TRY(const auto outcome, store.insert(record));
  if (outcome == InsertOutcome::existed)
    fmt::print(stderr, "assay: {} has this measurement already and keeps the first\n",
               options.project.store.string());
  const bool passed = record.verdict == Verdict::pass;
  ReportInput input;
  input.title = record.label;
  input.context = {{"command", record.command}};
  input.records = {record};
  fmt::print("{}", options.json ? render_json(input) : render_text(input));
  if (!passed) fmt::print(stderr, "assay: {}\n", record.verdict_detail);
  return passed ? 0 : exit_code(ErrorKind::failed_verdict);
}

}  // namespace

Action declare_measure(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("model", options->model,
                 "ONNX model: int8 or int16 (QDQ), or float with float32, float16 or int8 weights")
      ->required();
  app.add_option("--on", options->on, "A board of the inventory, or virtual:<board type or part>")
      ->required();
  app.add_option("--data", options->data, "Data set, when the model does not name it");
  app.add_option("--clock-mhz", options->clock_mhz, "Core clock instead of the board type's");
  options->goal.add(app);
  app.add_option("--samples", options->samples, "Test images to stream through the board")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  app.add_flag("--explain", options->explain,
               "Show the kernel of every layer, what it costs, and why no other");
  app.add_flag("--json", options->json, "Print the record as JSON instead of the table");
  options->project.add_store(app);
  options->project.add_boards(app);
  options->project.add_cache(app);
  return [options] { return run(*options); };
}

}  // namespace assay::cli
