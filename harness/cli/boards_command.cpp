// assay boards: the inventory.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "boards/station/inventory.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/project.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  bool types = false;
  bool json = false;
};

Json type_json(const BoardType& type) {
  Json json{{"name", type.name},
            {"title", type.title},
            {"part", type.part.name},
            {"core", type.part.core.name},
            {"clock_hz", type.clock.count()},
            {"ram_bytes", type.part.ram().size.count()}};
  if (!type.part.runs_linux()) json["flash_bytes"] = type.part.flash().size.count();
  return json;
}

/// Program memory in the list of types; under Linux a program is a file.
std::string flash_text(const Part& part) {
  return part.runs_linux() ? "-" : fmt::format("{}KB", part.flash().size.count() / 1024);
}

/// What a board is reached by besides its UART.
std::string probe_text(const Board& board) {
  if (board.virtual_board) return "virtual";
  if (board.type.part.runs_linux()) return fmt::format("{}", fmt::join(board.command, " "));
  return board.probe_serial;
}

Json board_json(const Board& board) {
  Json json{{"name", board.name}, {"type", board.type.name}, {"virtual", board.virtual_board}};
  if (board.type.part.runs_linux()) {
    json["command"] = board.command;
  } else {
    json["probe_serial"] = board.probe_serial;
    json["uart"] = board.uart;
  }
  return json;
}

Result<int> list_types(const Options& options) {
  Json json = Json::array();
  if (!options.json)
    fmt::print("{:<24}  {:<17}  {:<13}  {:>7}  {:>8}  {:>9}\n", "board type", "part", "core", "MHz",
               "flash", "RAM");
  for (const auto& name : known_board_types()) {
    ASSAY_TRY(const auto type, load_board_type(name));
    json.push_back(type_json(type));
    if (!options.json)
      fmt::print("{:<24}  {:<17}  {:<13}  {:>7g}  {:>8}  {:>7}KB\n", type.name, type.part.name,
                 type.part.core.name, static_cast<double>(type.clock.count()) / 1e6,
                 flash_text(type.part), type.part.ram().size.count() / 1024);
  }
  if (options.json) fmt::print("{}\n", json.dump(2));
  return 0;
}

Result<int> list_boards(const Options& options) {
  ASSAY_TRY(const auto boards, load_inventory(options.project.boards));
  if (options.json) {
    Json json = Json::array();
    for (const auto& board : boards)
      json.push_back(board_json(board));
    fmt::print("{}\n", json.dump(2));
    return 0;
  }
  if (boards.empty()) {
    fmt::print(
        "{} {}. A matrix can still ask for virtual boards; assay boards --types shows the known "
        "types, docs/boards.md how to add a board.\n",
        options.project.boards.string(),
        std::filesystem::exists(options.project.boards) ? "lists no boards" : "does not exist");
    return 0;
  }
  fmt::print("{:<16}  {:<24}  {:<26}  {}\n", "board", "type", "probe", "UART");
  for (const auto& board : boards)
    fmt::print("{:<16}  {:<24}  {:<26}  {}\n", board.name, board.type.name, probe_text(board),
               board.virtual_board ? "virtual" : board.uart);
  return 0;
}

}  // namespace

Action declare_boards(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->project.add_boards(app);
  app.add_flag("--types", options->types, "List the known board types instead");
  app.add_flag("--json", options->json, "Machine-readable");
  return [options] { return options->types ? list_types(*options) : list_boards(*options); };
}

}  // namespace assay::cli
