// Speed of a sweep: 16 distilled students that share a teacher, by `assay run` with an empty cache,
// and the same students one after another in one process that trains the teacher for each of them
// (plain_sweep). Both use one thread a training; assay has as many workers as it is told.
//
//   sweep_bench                           two workers; several minutes
//   sweep_bench --images 2560 --epochs 1  a short look, in which starting processes counts too much
//
// Both sides are timed from the start of their process to its end. For assay that is more than
// training: the logits of the whole training split, evaluation of every model on validation and
// test images, records and reports. Figures of one run can be compared with each other only.
// The float weights of both sides must be the same, byte for byte: if not, the exit code is 5.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>

#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"
#include "harness/run/run_matrix.hpp"

namespace {

using namespace assay;
namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;

struct Options {
  int images = 25600;
  int epochs = 4;
  int jobs = 2;
};

/// How one side did.
struct Side {
  Seconds elapsed{0};
  std::string output;
};

Json matrix_of(const Options& options) {
  return {{"name", "sweep-bench"},
          {"base",
           {{"data", "fashion-mnist"},
            {"teacher", {{"model", "conv5"}, {"seed", 1}}},
            {"student", {{"model", "conv5"}, {"cut", 4}, {"fewer_filters_pct", 50}}},
            {"train", {{"images", options.images}, {"epochs", options.epochs}}},
            {"quantize", {{"scheme", "none"}}}}},
          {"sweep", {{"distill.alpha", {0, 0.25, 0.5, 0.75}}, {"distill.T", {1, 2, 4, 8}}}}};
}

/// Runs one side to its end.
Result<Side> time_process(const ProcessSpec& spec) {
  const auto start = system_clock().now();
  ASSAY_TRY(const ProcessOutcome outcome, run_process(spec));
  const Seconds elapsed = system_clock().now() - start;
  if (outcome.exit_code != 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("{} ended with code {}: {}", spec.arguments.front(), outcome.exit_code,
                            outcome.errors));
  return Side{elapsed, outcome.output};
}

/// Labels of the configurations whose float models differ between the two sides.
Result<std::vector<std::string>> compare_weights(const Plan& plan, const StageCache& cache,
                                                 const fs::path& plain) {
  std::vector<std::string> different;
  for (const Cell& cell : plan.cells) {
    const std::string label = plan.expansion.configs[cell.config].label();
    ASSAY_TRY(const auto ours, read_bytes(artifacts_of(plan, cell, cache).float_model));
    ASSAY_TRY(const auto theirs, read_bytes(plain / (label + ".onnx")));
    if (ours != theirs) different.push_back(label);
  }
  return different;
}

void print_figures(const Options& options, const Plan& plan, const Side& ours, const Side& plain) {
  const Json parts = Json::parse(plain.output);
  fmt::print("{} cells, {} images x {} epochs, 1 thread a training\n", plan.cells.size(),
             options.images, options.epochs);
  fmt::print("assay run, {} workers {:10.1f} s   {} stages\n", options.jobs, ours.elapsed.count(),
             plan.stages.size());
  fmt::print(
      "one after another    {:10.1f} s   teachers {:.1f}, their outputs {:.1f}, students {:.1f}\n",
      plain.elapsed.count(), parts.at("teachers").get<double>(), parts.at("outputs").get<double>(),
      parts.at("students").get<double>());
  fmt::print("ratio                {:10.2f}\n", plain.elapsed / ours.elapsed);
}

Status run(const Options& options) {
  ASSAY_TRY(const auto scratch,
            ScratchDirectory::create(fs::temp_directory_path(), "sweep-bench-"));
  const fs::path file = scratch.path() / "sweep.json";
  ASSAY_CHECK(write_atomically(file, matrix_of(options).dump(2)));
  ASSAY_TRY(auto matrix, load_matrix(file));
  ASSAY_TRY(const Plan plan, make_plan(std::move(matrix)));
  const StageCache cache(scratch.path() / "cache");

  ProcessSpec assay;
  assay.arguments = {own_program("assay").string(),
                     "run",
                     file.string(),
                     "--cache",
                     cache.root().string(),
                     "--jobs",
                     std::to_string(options.jobs)};
  assay.working_directory = scratch.path();
  ASSAY_TRY(const Side ours, time_process(assay));
  ProcessSpec script;
  script.arguments = {PLAIN_SWEEP, file.string(), "--out", scratch.path().string()};
  ASSAY_TRY(const Side plain, time_process(script));

  print_figures(options, plan, ours, plain);
  ASSAY_TRY(const auto different, compare_weights(plan, cache, scratch.path()));
  if (!different.empty())
    return fail(ErrorKind::failed_verdict,
                fmt::format("the weights of {} of {} students differ: {}", different.size(),
                            plan.cells.size(), fmt::join(different, ", ")));
  fmt::print("weights              the same bytes in all {} students\n", plan.cells.size());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times a sweep by assay against the same trainings one after another");
  Options options;
  app.add_option("--images", options.images, "Training images")->capture_default_str();
  app.add_option("--epochs", options.epochs, "Epochs of teacher and students")
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "assay's training processes at once")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const Status status = run(options);
  if (status) return 0;
  fmt::print(stderr, "sweep_bench: {}\n", status.error().message);
  return exit_code(status.error().kind);
}
