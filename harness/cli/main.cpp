// assay: the program people type. Parses the command line, runs one verb, reports its error.
#include <fmt/core.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <system_error>
#include <utility>
#include <vector>

#include "harness/cli/command.hpp"
#include "harness/core/interrupt.hpp"

namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 done, 1 regression, 2 usage or bad input, 3 infrastructure,\n"
    "4 not comparable, 5 failed verdict, 130 interrupted.";

constexpr int output_closed = 141;  // as a shell names a program that SIGPIPE ended

/// What is wrong with a command line, in one sentence; or the help or version it asks for.
int answer(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);
  const auto verbs = app.get_subcommands();
  const auto unknown = app.remaining(true);
  const auto complaint = unknown.empty()
                             ? std::string(error.what())
                             : fmt::format("\"{}\" is not expected here", unknown.front());
  fmt::print(stderr, "assay: {}; see assay{} --help\n", complaint,
             verbs.empty() ? "" : " " + verbs.front()->get_name());
  return assay::exit_code(assay::ErrorKind::bad_input);
}

int run(int argc, char** argv) {
  using namespace assay;
  CLI::App app("Tests compressed neural networks on the boards they are meant for.", "assay");
  app.set_version_flag("--version", ASSAY_VERSION);
  app.footer(exit_codes);
  app.require_subcommand(1);
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "Log what is done, to standard error");

  std::vector<std::pair<CLI::App*, cli::Action>> verbs;
  for (const auto& command : cli::command_table()) {
    CLI::App* verb = app.add_subcommand(std::string(command.name), std::string(command.summary));
    verb->footer(fmt::format("Example:\n  {}\n\n{}", command.example, exit_codes));
    verbs.emplace_back(verb, command.declare(*verb));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return answer(app, error);
  }
  if (verbose) spdlog::set_level(spdlog::level::debug);
  for (const auto& [verb, action] : verbs) {
    if (!verb->parsed()) continue;
    const auto outcome = action();
    if (outcome) return *outcome;
    fmt::print(stderr, "assay: {}\n", outcome.error().message);
    return exit_code(outcome.error().kind);
  }
  return exit_code(ErrorKind::bad_input);
}

}  // namespace

int main(int argc, char** argv) {
  assay::install_interrupt_handler();
  spdlog::set_default_logger(spdlog::stderr_color_mt("assay"));
  spdlog::set_level(spdlog::level::warn);
  spdlog::set_pattern("assay: %v");
  try {
    return run(argc, argv);
  } catch (const std::exception& problem) {  // what a library throws, a full memory
    const auto* system = dynamic_cast<const std::system_error*>(&problem);
    // The reader has seen enough. Not 0: a verdict may not have been told.
    if (system && system->code() == std::errc::broken_pipe) return output_closed;
    fmt::print(stderr, "assay: {}\n", problem.what());
    return assay::exit_code(assay::ErrorKind::infrastructure);
  }
}
