#include "boards/station/inventory.hpp"

#include <set>

#include <fmt/format.h>

namespace assay {
namespace {

/// What makes the probe serial of a virtual board: unique where names are.
std::string virtual_serial(const std::string& name) {
  return "VB-" + name;
}

Board read_board(JsonObject& object) {
  Board board;
  board.name = object.required<std::string>("name");
  const auto type_name = object.required<std::string>("type");
  board.virtual_board = object.optional("virtual", false);
  board.probe_serial = object.optional<std::string>("probe_serial", "");
  board.uart = object.optional<std::string>("uart", "");
  board.unique_id = object.maybe<std::string>("unique_id");
  if (board.virtual_board) {
    if (!board.uart.empty()) object.problem("uart", "a virtual board brings its own");
    if (board.probe_serial.empty()) board.probe_serial = virtual_serial(board.name);
  } else {
    if (board.probe_serial.empty()) object.problem("probe_serial", "is missing");
    if (board.uart.empty()) object.problem("uart", "is missing");
  }
  if (object.errors().failed()) return board;
  if (auto type = find_board_type(type_name))
    board.type = std::move(*type);
  else
    object.problem("type", type.error().message);
  return board;
}

}  // namespace

Result<std::vector<Board>> load_inventory(const std::filesystem::path& path) {
  std::vector<Board> boards;
  if (!std::filesystem::exists(path)) return boards;
  ASSAY_TRY(const auto json, read_json_file(path));
  JsonErrors errors(path.string());
  {
    JsonObject object(json, "", errors);
    std::set<std::string> names;
    std::set<std::string> probes;
    object.for_each_object("boards", [&](JsonObject& entry) {
      boards.push_back(read_board(entry));
      if (!names.insert(boards.back().name).second)
        entry.problem("name", fmt::format("\"{}\" is given to two boards", boards.back().name));
      if (!probes.insert(boards.back().probe_serial).second)
        entry.problem("probe_serial",
                      fmt::format("\"{}\" is given to two boards", boards.back().probe_serial));
    });
  }
  ASSAY_CHECK(errors.status());
  return boards;
}

Board implicit_virtual_board(const BoardType& type) {
  Board board;
  board.name = "virtual:" + type.name;
  board.type = type;
  board.virtual_board = true;
  board.probe_serial = virtual_serial(type.name);
  return board;
}

}  // namespace assay
