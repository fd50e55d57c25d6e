// assay export: a model as a C++ library for somebody's own firmware.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>

#include "boards/station/desk.hpp"
#include "boards/station/lock.hpp"
#include "compress/onnx/model.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/explain.hpp"
#include "harness/cli/goal_options.hpp"
#include "harness/cli/model_stages.hpp"
#include "harness/cli/project.hpp"
#include "harness/core/calibration_file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/interrupt.hpp"
#include "harness/core/record.hpp"
#include "harness/run/bench_graph.hpp"
#include "harness/run/firmware_stage.hpp"
#include "harness/run/kernel_selection.hpp"
#include "harness/run/preflight.hpp"
#include "harness/run/stage_runner.hpp"
#include "targets/build/library.hpp"
#include "targets/graph/lower.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  std::string model;
  std::string part;
  std::string output;
  GoalOptions goal;
  bool explain = false;
};

/// The kernels that a firmware was built with.
KernelSelection selection_of(const FirmwareFacts& facts) {
  KernelSelection selection;
  selection.layers = facts.build.at("layers");
  selection.strips = facts.build.value("strips", Json());
  selection.notices = facts.notices;
  for (const Json& layer : selection.layers) {
    selection.choice.layers.push_back(kernel_named(layer.at("kernel").get<std::string>()));
    if (selection.strips.is_null() || selection.choice.strips ||
        layer.at("name") != selection.strips.at("first_layer"))
      continue;
    const std::size_t first = selection.choice.layers.size() - 1;
    const std::size_t count = selection.strips.at("layers");
    selection.choice.strips = StripRange{first, first + count - 1, selection.strips.at("rows")};
  }
  return selection;
}

/// The modelled cycles of an inference of the whole network.
Result<double> network_cycles(const Options& options, const BoardType& type,
                              const IntegerGraph& graph, const KernelChoice& choice) {
  const Board board = implicit_virtual_board(type);
  ASSAY_TRY(auto desk, Desk::open({board}, board_lock_folder()));
  const BenchOrder order{options.model, graph, choice, 1};
  ASSAY_TRY(const auto run, bench_graph(order, board, desk, options.project.cache / "scratch",
                                        install_interrupt_handler()));
  return run.cycles.value_or(0);
}

/// The kernels of the model on the part, tried if that has not been done. Budgets are kept by what
/// is built and run of them, not by their sum. Errors: failed_verdict where they are not.
Result<KernelSelection> choose_kernels(const Options& options, const BoardType& type,
                                       const IntegerGraph& graph, const std::string& hash) {
  const DeployGoal goal = options.goal.goal();
  const StageCache cache(options.project.cache);
  const auto stop = install_interrupt_handler();
  const StageProgress quiet = [](double, const std::string&) {};
  std::map<std::string, std::filesystem::path> inputs{{"model", options.model}};
  ASSAY_TRY(const auto calibration, load_calibration(options.project.store, type.part));
  const Pace pace = pace_of(type.part, type.clock, calibration);
  ASSAY_TRY(const auto stages, firmware_stages(type, pace, goal, hash));
  if (!cache.has(stages.trial))
    ASSAY_CHECK(preflight(cache, {&stages.trial}, {}, !type.part.runs_linux()));
  announce_trial(cache, stages, type);
  ASSAY_TRY(const auto folder, ensure_stage(cache, stages.trial, inputs, quiet, stop));
  inputs["trial"] = folder / "trial.json";
  if (!goal.flash_budget && !goal.latency_budget) {
    ASSAY_TRY(const auto trial, read_trial(inputs["trial"]));
    return select_kernels(graph, type.part.core, trial, goal, pace);
  }
  ASSAY_TRY(const auto built, ensure_stage(cache, stages.firmware, inputs, quiet, stop));
  ASSAY_TRY(const auto facts, read_firmware_facts(built));
  if (!facts.fits) return fail(ErrorKind::failed_verdict, facts.does_not_fit);
  KernelSelection selection = selection_of(facts);
  GoalFigures figures = goal_figures(facts.metrics);
  if (goal.latency_budget) {
    ASSAY_TRY(const double cycles, network_cycles(options, type, graph, selection.choice));
    figures.latency = pace.time_of(cycles);
  }
  if (const auto missed = missed_goal(goal, figures); !missed.empty())
    return fail(ErrorKind::failed_verdict, missed);
  return selection;
}

/// A number of the model's metadata; nothing where there is none.
std::optional<double> metadata_number(const onnx::Model& model, const std::string& key) {
  const auto entry = model.metadata.find(key);
  if (entry == model.metadata.end()) return std::nullopt;
  const std::string& text = entry->second;
  double number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

/// What the model's file says of its input.
std::string normalization_of(const onnx::Model& model) {
  const auto mean = metadata_number(model, "assay.mean");
  const auto deviation = metadata_number(model, "assay.deviation");
  if (!mean || !deviation) return "";
  return fmt::format(
      "Pixels p of 0 to 255 become the real input (p / 255 - m) / d, m = {}, d = {}.", *mean,
      *deviation);
}

/// The library may be one part of a larger program: what is too large for the whole part is said.
void tell_what_does_not_fit(const GeneratedModel& model, const Part& part) {
  const auto tell = [&](const char* what, Bytes needed, Bytes size, const char* memory) {
    if (needed > size)
      fmt::print(stderr, "assay: {} {} bytes, and {} has {} bytes of {}: it does not fit\n", what,
                 needed.count(), part.title, size.count(), memory);
  };
  if (part.runs_linux()) return;
  tell("the constants take", model.weight_bytes, part.flash().size, "flash");
  Bytes largest;
  for (const MemoryRegion& region : part.memory)
    if (!region.flash) largest = std::max(largest, region.size);
  tell("the arena takes", model.arena_bytes, largest, "RAM in its largest bank");
}

Result<int> run(const Options& options) {
  ASSAY_CHECK(check_library_folder(options.output));
  std::optional<BoardType> type;
  if (options.part != host_target) {
    ASSAY_TRY(type, find_board_type(options.part));
  } else if (!options.goal.text().empty()) {
    return fail(ErrorKind::bad_input,
                fmt::format("--part host has portable kernels only, there is nothing to choose: "
                            "leave out{}",
                            options.goal.text()));
  }
  ASSAY_TRY(const auto model, onnx::read_model(options.model));
  ASSAY_TRY(const auto graph, lower(model, options.model));
  ASSAY_TRY(const auto hash, sha256_file(options.model));
  KernelSelection selection;
  if (type) {
    ASSAY_TRY(selection, choose_kernels(options, *type, graph, hash));
  }
  LibraryOrder order;
  order.core = type ? &type->part.core : nullptr;
  order.graph = &graph;
  order.name = std::filesystem::path(options.model).filename();
  order.normalization = normalization_of(model);
  ASSAY_TRY(order.model, generate(graph, order.core, hash, selection.choice));
  ASSAY_TRY(const auto files, library_files(order));
  ASSAY_CHECK(write_library(files, options.output));
  if (type) tell_what_does_not_fit(order.model, type->part);
  for (const auto& notice : graph.notices)
    fmt::print(stderr, "assay: {}\n", notice);
  for (const auto& notice : selection.notices)
    fmt::print(stderr, "assay: {}\n", notice);
  if (options.explain && type)
    fmt::print("{}{}\n", explain_table(selection.layers), explain_strips(selection.strips));
  fmt::print(
      "{}: {} files; {} bytes of constants, {} bytes of arena; README.txt says how to "
      "compile it\n",
      options.output, files.size(), order.model.weight_bytes.count(),
      order.model.arena_bytes.count());
  return 0;
}

}  // namespace

Action declare_export(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("model", options->model,
                 "ONNX model: int8 or int16 (QDQ), or float with float32, float16 or int8 weights")
      ->required();
  app.add_option("--part", options->part, "A part, a board type, or host: portable kernels only")
      ->required();
  app.add_option("-o,--output", options->output, "Folder to write; new or empty")->required();
  options->goal.add(app);
  app.add_flag("--explain", options->explain,
               "Show the kernel of every layer, what it costs, and why no other");
  options->project.add_store(app);
  options->project.add_cache(app);
  return [options] { return run(*options); };
}

}  // namespace assay::cli
