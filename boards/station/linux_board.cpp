#include "boards/station/linux_board.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string_view>

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
  ASSAY_CHECK(check_counting(tools));
  ProcessSpec spec;
  spec.arguments = {tools.emulator,
                    "-cpu",
                    tools.emulated_core,
                    "-plugin",
                    fmt::format("{},out={}", count_plugin().string(), counts_file.string()),
                    program.string()};
  return PipeLink::start(spec, board.name);
}

/// Takes a program of so many bytes from standard input into a file and runs it on the rest.
std::string receiving_script(std::size_t bytes) {
  return fmt::format(
      "f=$(mktemp) && trap 'rm -f \"$f\"' EXIT && head -c {} >\"$f\" && chmod 700 \"$f\" && \"$f\"",
      bytes);
}

Status check_command(const Board& board) {
  if (find_program(board.command.front())) return {};
  return fail(ErrorKind::infrastructure,
              fmt::format("{}: {} is not installed, with which the inventory reaches the board",
                          board.name, board.command.front()));
}

/// A line each: machine, model and serial number, empty where there is none.
constexpr const char* identity_script =
    "uname -m; for f in model serial-number; do "
    "cat /sys/firmware/devicetree/base/$f 2>/dev/null | tr -d '\\0'; echo; done";

constexpr std::chrono::seconds identity_deadline{30};  // ssh may have to wake a sleeping board

/// What the kernel calls the machine that programs of a core run on.
std::string_view machine_of(const Core& core) {
  return core.architecture == "armv6" ? "armv6l" : "aarch64";
}

/// Whether a model is a computer of that name: "Raspberry Pi Zero W Rev 1.1" is a "Raspberry Pi
/// Zero", "Raspberry Pi Zero 2 W" is not, for a number behind the name is another generation ("2GB"
/// is none).
bool is_computer(const std::string& model, const std::string& name) {
  const auto at = model.find(name);
  if (at == std::string::npos) return false;
  const std::string_view rest = std::string_view(model).substr(at + name.size());
  if (!rest.starts_with(' ')) return true;
  const std::string_view word = rest.substr(1, rest.substr(1).find(' '));
  return word.empty() || !std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

tl::unexpected<Error> another_computer(const Board& board, const LinuxIdentity& found) {
  const std::string tree = found.model.empty()
                               ? "has no device tree"
                               : fmt::format("is a \"{}\" by its device tree", found.model);
  return fail(ErrorKind::infrastructure,
              fmt::format("{}: what answers {} and runs on {}, a {} on {} was expected: nothing is "
                          "recorded of an emulator or another computer",
                          board.name, tree, found.machine, fmt::join(board.type.computers, " or "),
                          machine_of(board.type.part.core)));
}

Result<std::unique_ptr<Link>> start_remote(const Board& board,
                                           const std::filesystem::path& program) {
  ASSAY_CHECK(check_command(board));
  ASSAY_TRY(const auto bytes, read_bytes(program));
  ProcessSpec spec;
  spec.arguments = board.command;
  spec.arguments.push_back(receiving_script(bytes.size()));
  ASSAY_TRY(auto link, PipeLink::start(spec, board.name));
  ASSAY_CHECK(link->write(std::as_bytes(std::span(bytes))));
  return link;
}

}  // namespace

Result<LinuxIdentity> identify_linux_board(const Board& board, std::stop_token stop) {
  ASSAY_CHECK(check_command(board));
  ProcessSpec spec;
  spec.arguments = board.command;
  spec.arguments.push_back(identity_script);
  spec.deadline = identity_deadline;
  ASSAY_TRY(const auto outcome, run_process(spec, std::move(stop)));
  if (outcome.cancelled) return fail(ErrorKind::interrupted, "interrupted");
  if (outcome.exit_code != 0 || outcome.timed_out)
    return fail(ErrorKind::infrastructure,
                fmt::format("{} does not say who it is: {} ended with code {}{}", board.name,
                            board.command.front(), outcome.exit_code,
                            outcome.timed_out ? ", out of time" : ""));
  LinuxIdentity found;
  std::istringstream lines(outcome.output);
  for (std::string* line : {&found.machine, &found.model, &found.serial})
    std::getline(lines, *line);
  const auto named = [&](const std::string& name) { return is_computer(found.model, name); };
  if (found.machine != machine_of(board.type.part.core) ||
      std::ranges::none_of(board.type.computers, named))
    return another_computer(board, found);
  if (board.unique_id && found.serial != *board.unique_id)
    return fail(ErrorKind::infrastructure,
                fmt::format("{}: serial number {} instead of {}: another board answers", board.name,
                            found.serial.empty() ? "(none)" : found.serial, *board.unique_id));
  return found;
}

Result<std::unique_ptr<Link>> start_linux_program(const Board& board,
                                                  const std::filesystem::path& program,
                                                  const std::filesystem::path& counts_file) {
  return board.virtual_board ? start_emulated(board, program, counts_file)
                             : start_remote(board, program);
}

Status check_counting(const LinuxTools& tools) {
  ASSAY_CHECK(check_emulator(tools));
  if (std::filesystem::exists(count_plugin())) return {};
  return fail(
      ErrorKind::infrastructure,
      fmt::format("{} is missing: build the target linux_count_plugin", count_plugin().string()));
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
