// The command line of virtual-board.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/result.hpp"

namespace assay::virtual_board {

/// One --board: which board to stand in for.
struct BoardOption {
  std::string name;
  std::string type;    ///< a board type, or a part whose default type is meant
  std::string serial;  ///< of its probe
};

struct Options {
  std::vector<BoardOption> boards;
  std::uint16_t probe_port = 0;   ///< 0: a free one
  std::filesystem::path control;  ///< empty: a name in the temporary folder
  bool trace = false;             ///< log every probe command
};

/// "name=f405-a,type=olimex-stm32-h405,serial=VB0001". Errors: bad_input naming the bad field.
Result<BoardOption> parse_board_option(const std::string& text);

/// Parses the command line. Nothing: --help was asked for and printed. Errors: bad_input.
Result<std::optional<Options>> parse_options(int argc, char** argv);

}  // namespace assay::virtual_board
