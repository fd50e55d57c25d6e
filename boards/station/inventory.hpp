// The inventory: which boards there are, read from boards.json, plus virtual boards a matrix asks
// for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/board_type.hpp"

namespace assay {

/// A board on somebody's desk, or a virtual one.
struct Board {
  std::string name;  ///< unique in the inventory: "f405-a"
  BoardType type;
  bool virtual_board = false;
  std::string probe_serial;  ///< exact; made from the name for a virtual board, or under Linux
  std::string uart;          ///< device path; empty for a virtual board (it brings its own pty)
  std::vector<std::string> command;      ///< {"ssh", "pi@host"}: runs a shell line on a real board
                                         ///< under Linux; empty for all others
  std::optional<std::string> unique_id;  ///< lower-case hex; must match the hello when given
};

/// Reads boards.json: {"boards": [{"name", "type", "virtual"?, "probe_serial"?, "uart"?,
/// "unique_id"?}]}, and "command" instead of probe and UART for a board under Linux. Errors
/// (bad_input) name the file and the field: an unknown type, a name, probe or UART given twice, a
/// real board without probe or UART (or command), a name or serial with other characters than
/// letters, digits and . _ - in it. A missing file is an empty inventory.
Result<std::vector<Board>> load_inventory(const std::filesystem::path& path);

/// The virtual board that stands for a type when the inventory has none: "virtual:<type>".
Board implicit_virtual_board(const BoardType& type);

}  // namespace assay
