#include "boards/virtual/options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <map>
#include <set>
#include <sstream>

namespace assay::virtual_board {
namespace {

constexpr const char* example =
    "Example:\n"
    "  virtual-board --board name=f405-a,type=olimex-stm32-h405,serial=VB0001\n"
    "  openocd -f interface/stlink-dap.cfg -c 'st-link backend tcp PORT' \\\n"
    "    -c 'transport select dapdirect_swd' -c 'adapter serial VB0001' \\\n"
    "    -f target/stm32f4x.cfg -c 'program {firmware.elf} verify reset exit'\n"
    "\n"
    "Prints one line of JSON when the boards are ready and ends with its standard input, its\n"
    "parent, or SIGTERM. The control socket is described in boards/virtual/CONTROL.md.";

Status check_unique(const std::vector<BoardOption>& boards) {
  std::set<std::string> names, serials;
  for (const BoardOption& board : boards) {
    if (!names.insert(board.name).second)
      return fail(ErrorKind::bad_input, fmt::format("two boards are named \"{}\"", board.name));
    if (!serials.insert(board.serial).second)
      return fail(ErrorKind::bad_input,
                  fmt::format("two boards have the probe serial \"{}\"", board.serial));
  }
  return {};
}

}  // namespace

Result<BoardOption> parse_board_option(const std::string& text) {
  BoardOption option;
  std::map<std::string, std::string*> fields{
      {"name", &option.name}, {"type", &option.type}, {"serial", &option.serial}};
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    const auto field = fields.find(part.substr(0, equals));
    if (equals == std::string::npos || field == fields.end())
      return fail(
          ErrorKind::bad_input,
          fmt::format("--board \"{}\": \"{}\" is none of name=, type=, serial=", text, part));
    *field->second = part.substr(equals + 1);
  }
  for (const auto& [key, value] : fields)
    if (value->empty())
      return fail(ErrorKind::bad_input, fmt::format("--board \"{}\": {}= is missing", text, key));
  return option;
}

Result<std::optional<Options>> parse_options(int argc, char** argv) {
  Options options;
  std::vector<std::string> boards;
  std::string control;
  CLI::App app("Stands where a desk of boards would: probes on TCP, a pty for each UART.",
               "virtual-board");
  app.footer(example);
  app.add_option("--board", boards, "name=NAME,type=TYPE,serial=SERIAL; once for each board")
      ->required();
  app.add_option("--probe-port", options.probe_port, "TCP port of the probes; 0: a free one");
  app.add_option("--control", control, "path of the control socket");
  app.add_flag("--trace", options.trace, "log every command a probe gets to standard error");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return std::optional<Options>();
  } catch (const CLI::ParseError& problem) {
    return fail(ErrorKind::bad_input, fmt::format("{}; see virtual-board --help", problem.what()));
  }
  for (const std::string& text : boards) {
    ASSAY_TRY(BoardOption board, parse_board_option(text));
    options.boards.push_back(std::move(board));
  }
  ASSAY_CHECK(check_unique(options.boards));
  options.control = control.empty() ? std::filesystem::temp_directory_path() /
                                          fmt::format("virtual-board-{}.socket", getpid())
                                    : std::filesystem::path(control);
  return std::optional<Options>(std::move(options));
}

}  // namespace assay::virtual_board
