// assay-train: runs one training or compression stage.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "compress/train/stages.hpp"
#include "compress/train/torch_runtime.hpp"
#include "harness/core/interrupt.hpp"

namespace {

using namespace assay;

void print_progress(double fraction, const std::string& message) {
  const Json event = {{"event", "progress"}, {"fraction", fraction}, {"message", message}};
  fmt::print("{}\n", event.dump());
  std::fflush(stdout);
}

Status run(const std::filesystem::path& description, const std::filesystem::path& out,
           const std::filesystem::path& checkpoints, char** argv) {
  ASSAY_TRY(const Json json, read_json_file(description));
  ASSAY_TRY(const StageDescription stage, parse_stage(json, description.string()));
  if (!std::filesystem::is_directory(out))
    return fail(ErrorKind::bad_input, fmt::format("--out {}: no such folder", out.string()));
  if (!checkpoints.empty() && !std::filesystem::is_directory(checkpoints))
    return fail(ErrorKind::bad_input,
                fmt::format("--checkpoints {}: no such folder", checkpoints.string()));
  ASSAY_CHECK(pin_cpu_level(stage.cpu, argv));
  StageClock clock;
  return run_stage(stage, {out, print_progress, install_interrupt_handler(), checkpoints, clock});
}

int report(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  return exit_code(error.kind);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Runs one training or compression stage and writes its files into a folder.\n"
      "Example: assay-train stage.json --out /tmp/stage");
  std::filesystem::path description;
  std::filesystem::path out;
  std::filesystem::path checkpoints;
  app.add_option("stage", description, "Stage description (JSON)")->required();
  app.add_option("--out", out, "Existing folder for the output files")->required();
  app.add_option("--checkpoints", checkpoints,
                 "Existing folder where a training keeps its state, to go on after a stop");
  try {
    app.parse(argc, argv);
    const Status status = run(description, out, checkpoints, argv);
    return status ? 0 : report(status.error());
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(ErrorKind::bad_input);
  } catch (const std::exception& error) {
    return report({ErrorKind::infrastructure, fmt::format("assay-train: {}", error.what())});
  }
}
