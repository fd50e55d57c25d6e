// Speed of a sweep: 16 distilled students that share a teacher, by `assay run` with an empty cache,
// and the same students one after another in one process that trains the teacher for each of them
// (plain_sweep). Both use one thread a training; assay has as many workers as it is told.
//
//   sweep_bench                           two workers; about ten minutes on two cores
//   sweep_bench --epochs 5                nearer to a real sweep
//   sweep_bench --images 2560 --epochs 1  only whether the weights agree
//
// Both sides are timed from the start of their process to its end. For assay that is more than
// training: the logits of the whole training split, evaluation of every model on validation and
// test images, records and reports. Figures of one run can be compared with each other only; on a
// busy machine the processor's seconds say more than the clock's.
// The float weights of both sides must be the same, byte for byte: if not, the exit code is 5.
#include <fmt/format.h>
#include <sys/resource.h>

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
  int epochs = 2;
  int jobs = 2;
};

/// How one side did.
struct Side {
  Seconds elapsed{0};
  Seconds processor{0};  ///< of all its processes together
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

/// Processor time of all children that have ended, and of theirs.
Seconds processor_time_of_children() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/// Runs one side to its end.
Result<Side> time_process(const ProcessSpec& spec) {
  const auto start = system_clock().now();
  const Seconds before = processor_time_of_children();
  ASSAY_TRY(const ProcessOutcome outcome, run_process(spec));
  const Side side{system_clock().now() - start, processor_time_of_children() - before,
                  outcome.output};
  if (outcome.exit_code != 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("{} ended with code {}: {}", spec.arguments.front(), outcome.exit_code,
                            outcome.errors));
  return side;
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
  const auto row = [](const std::string& name, const Side& side, const std::string& rest) {
    fmt::print("{:<21}{:8.1f} s  {:8.1f} s of processor  {}\n", name, side.elapsed.count(),
               side.processor.count(), rest);
  };
  const Json parts = Json::parse(plain.output);
  const auto seconds = [&](const char* part) { return parts.at(part).get<double>(); };
  fmt::print("{} cells, {} images x {} epochs, 1 thread a training\n", plan.cells.size(),
             options.images, options.epochs);
  row(fmt::format("assay run, {} workers", options.jobs), ours,
      fmt::format("{} stages", plan.stages.size()));
  row("one after another", plain,
      fmt::format("teachers {:.1f} s, their outputs {:.1f} s, students {:.1f} s",
                  seconds("teachers"), seconds("outputs"), seconds("students")));
  fmt::print("ratio                {:8.2f}\n", plain.elapsed / ours.elapsed);
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
  fmt::print("weights                the same bytes in all {} students\n", plan.cells.size());
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
