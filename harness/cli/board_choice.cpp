#include "harness/cli/board_choice.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace assay::cli {

Result<Board> choose_board(const std::string& name, const std::filesystem::path& inventory) {
  constexpr std::string_view prefix = "virtual:";
  if (name.starts_with(prefix)) {
    ASSAY_TRY(const auto type, find_board_type(name.substr(prefix.size())));
    return implicit_virtual_board(type);
  }
  ASSAY_TRY(const auto boards, load_inventory(inventory));
  const auto found = std::ranges::find(boards, name, &Board::name);
  if (found != boards.end()) return *found;
  std::vector<std::string> names;
  for (const auto& board : boards)
    names.push_back(board.name);
  return fail(ErrorKind::bad_input,
              fmt::format("no board \"{}\" in {}: it lists {}; virtual boards are written "
                          "virtual:<part>",
                          name, inventory.string(),
                          names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

}  // namespace assay::cli
