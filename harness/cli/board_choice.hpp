// Which board a user means: a name of the inventory, or "virtual:<board type or part>".
#pragma once

#include <filesystem>
#include <string>

#include "boards/station/inventory.hpp"

namespace assay::cli {

/// Errors: bad_input naming the boards that exist.
Result<Board> choose_board(const std::string& name, const std::filesystem::path& inventory);

}  // namespace assay::cli
