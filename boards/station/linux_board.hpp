// A board that runs Linux: its program is started, not flashed, and spoken to over the pipes of a
// process here, which is QEMU's user-mode emulator (a virtual board) or a remote shell (a real
// one). Thread-safe; a link is for one thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "boards/link/link.hpp"
#include "boards/station/inventory.hpp"

namespace assay {

/// Starts the program; it ends with the link. On a real board it is sent through the link first and
/// removed at the end; on a virtual one the instructions of its quiet windows go to `counts_file`.
/// Errors: infrastructure when the emulator (named with its package) or the
/// board's command is not installed, or the program cannot be read or sent.
Result<std::unique_ptr<Link>> start_linux_program(const Board& board,
                                                  const std::filesystem::path& program,
                                                  const std::filesystem::path& counts_file);

/// Instructions of each inference of the quiet windows so far. Errors: infrastructure.
Result<std::vector<Instructions>> read_window_counts(const std::filesystem::path& counts_file);

/// What the emulator of a virtual board says of its version, in one line. Errors: infrastructure.
Result<std::string> emulator_version(const Board& board);

}  // namespace assay
