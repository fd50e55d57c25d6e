#include "boards/station/linux_board.hpp"

#include <fmt/format.h>

#include <sstream>

#include "boards/link/pipe_link.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"

namespace assay {
namespace {

const LinuxTools& tools_of(const Board& board) {
  return *board.type.part.core.linux_tools;
}

Status check_emulator(const LinuxTools& tools) {
  if (find_program(tools.emulator)) return {};
  return fail(ErrorKind::infrastructure, fmt::format("{} is not installed: install the package {}",
                                                     tools.emulator, tools.emulator_package));
}

Result<std::unique_ptr<Link>> start_emulated(const Board& board,
                                             const std::filesystem::path& program,
                                             const std::filesystem::path& counts_file) {
  const LinuxTools& tools = tools_of(board);
  ASSAY_CHECK(check_emulator(tools));
  const auto plugin = build_root() / "boards" / "station" / "linux_count_plugin.so";
  if (!std::filesystem::exists(plugin))
    return fail(ErrorKind::infrastructure,
                fmt::format("{} is missing: build the target linux_count_plugin", plugin.string()));
  ProcessSpec spec;
  spec.arguments = {tools.emulator,
                    "-cpu",
                    tools.emulated_core,
                    "-plugin",
                    fmt::format("{},out={}", plugin.string(), counts_file.string()),
                    program.string()};
  return PipeLink::start(spec, board.name);
}

/// Takes a program of so many bytes from standard input into a file and runs it on the rest.
std::string receiving_script(std::size_t bytes) {
  return fmt::format(
      "f=$(mktemp) && trap 'rm -f \"$f\"' EXIT && head -c {} >\"$f\" && chmod 700 \"$f\" && \"$f\"",
      bytes);
}

Result<std::unique_ptr<Link>> start_remote(const Board& board,
                                           const std::filesystem::path& program) {
  if (!find_program(board.command.front()))
    return fail(ErrorKind::infrastructure,
                fmt::format("{}: {} is not installed, with which the inventory reaches the board",
                            board.name, board.command.front()));
  ASSAY_TRY(const auto bytes, read_bytes(program));
  ProcessSpec spec;
  spec.arguments = board.command;
  spec.arguments.push_back(receiving_script(bytes.size()));
  ASSAY_TRY(auto link, PipeLink::start(spec, board.name));
  ASSAY_CHECK(link->write(std::as_bytes(std::span(bytes))));
  return link;
}

}  // namespace

Result<std::unique_ptr<Link>> start_linux_program(const Board& board,
                                                  const std::filesystem::path& program,
                                                  const std::filesystem::path& counts_file) {
  return board.virtual_board ? start_emulated(board, program, counts_file)
                             : start_remote(board, program);
}

Result<std::vector<Instructions>> read_window_counts(const std::filesystem::path& counts_file) {
  ASSAY_TRY(const auto text, read_text(counts_file));
  std::istringstream lines(text);
  std::vector<Instructions> counts;
  for (std::uint64_t count = 0; lines >> count;)
    counts.emplace_back(count);
  return counts;
}

Result<std::string> emulator_version(const Board& board) {
  const LinuxTools& tools = tools_of(board);
  ASSAY_CHECK(check_emulator(tools));
  ProcessSpec spec;
  spec.arguments = {tools.emulator, "--version"};
  ASSAY_TRY(const auto outcome, run_process(spec));
  return outcome.output.substr(0, outcome.output.find('\n'));
}

}  // namespace assay
