// The verbs of the command line: one row each in command_table(), one file each.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>
#include <string_view>

#include "harness/core/result.hpp"

namespace assay::cli {

/// Runs a verb after its options were parsed; returns the exit code of a run that was not an error
/// (a failed verdict is an outcome, not an error).
using Action = std::function<Result<int>()>;

/// One verb.
struct Command {
  std::string_view name;
  std::string_view summary;
  std::string_view example;              ///< shown at the end of its --help
  Action (*declare)(CLI::App& options);  ///< adds the verb's options and returns what runs it
};

std::span<const Command> command_table();

Action declare_run(CLI::App& options);
Action declare_plan(CLI::App& options);
Action declare_measure(CLI::App& options);
Action declare_export(CLI::App& options);
Action declare_boards(CLI::App& options);
Action declare_results(CLI::App& options);
Action declare_report(CLI::App& options);
Action declare_bench(CLI::App& options);
Action declare_calibrate(CLI::App& options);
Action declare_cache(CLI::App& options);
Action declare_data(CLI::App& options);
Action declare_doctor(CLI::App& options);

}  // namespace assay::cli
