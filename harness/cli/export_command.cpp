// assay export: a model as a C++ library for somebody's own firmware.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <charconv>
#include <memory>
#include <optional>

#include "compress/onnx/model.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/explain.hpp"
#include "harness/cli/export_plan.hpp"
#include "harness/cli/goal_options.hpp"
#include "harness/cli/project.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/record.hpp"
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

/// Where the arena lies, where it is not simply one array.
std::string arena_text(const GeneratedModel& model) {
  std::vector<std::string> parts;
  for (const GeneratedArena& arena : model.arenas)
    parts.push_back(fmt::format("{} in {}", arena.bytes.count(), arena.region));
  if (parts.size() < 2) return "";
  return fmt::format(" ({}: see README.txt)", fmt::join(parts, ", "));
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
  ExportPlan plan;
  if (type) {
    ASSAY_TRY(plan, plan_export({options.model, *type, graph, hash, options.goal.goal(),
                                 options.project.store, options.project.cache}));
  } else {
    ASSAY_TRY(plan.model, generate(graph, nullptr, hash));
  }
  LibraryOrder order;
  order.part = type ? &type->part : nullptr;
  order.core = type ? &type->part.core : nullptr;
  order.graph = &graph;
  order.name = std::filesystem::path(options.model).filename();
  order.normalization = normalization_of(model);
  order.model = std::move(plan.model);
  ASSAY_TRY(const auto files, library_files(order));
  ASSAY_CHECK(write_library(files, options.output));
  for (const auto& notice : graph.notices)
    fmt::print(stderr, "assay: {}\n", notice);
  for (const auto& notice : plan.selection.notices)
    fmt::print(stderr, "assay: {}\n", notice);
  if (options.explain && type) fmt::print("{}", explain_table(plan.selection.layers));
  fmt::print("{}", explain_strips(plan.selection.strips));
  if (options.explain && type) fmt::print("\n");
  fmt::print(
      "{}: {} files; {} bytes of constants, {} bytes of arena{}; README.txt says how to "
      "compile it\n",
      options.output, files.size(), order.model.weight_bytes.count(),
      order.model.arena_bytes.count(), arena_text(order.model));
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
