// A board that runs Linux: its program is started, not flashed, and spoken to over the pipes of a
// process here, which is QEMU's user-mode emulator (a virtual board) or a remote shell (a real
// one). Thread-safe; a link is for one thread.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "boards/link/link.hpp"
#include "boards/station/inventory.hpp"

namespace assay {

/// Who a computer says it is: its kernel and its device tree.
struct LinuxIdentity {
  std::string machine;  ///< "aarch64", as uname -m has it
  std::string model;    ///< "Raspberry Pi 4 Model B Rev 1.4"; empty where there is no device tree
  std::string serial;   ///< the board's serial number there; empty where it has none
};

/// Asks a real board who it is, so that no other computer and no emulator behind its command passes
/// for it. The model must hold one of the names of the board type's computers, with no number
/// behind it, the machine be of its core, and the serial number the inventory's unique id where
/// that has one. Errors: infrastructure when the command is not installed, the board does not
/// answer, or is another; interrupted.
Result<LinuxIdentity> identify_linux_board(const Board& board, std::stop_token stop = {});

/// Starts the program; it ends with the link. On a real board it is sent through the link first and
/// removed at the end; on a virtual one the instructions of its quiet windows go to `counts_file`.
/// Errors: infrastructure when the emulator (named with its package) or the
/// board's command is not installed, or the program cannot be read or sent.
Result<std::unique_ptr<Link>> start_linux_program(const Board& board,
                                                  const std::filesystem::path& program,
                                                  const std::filesystem::path& counts_file);

/// Whether executed instructions can be counted here. Errors: infrastructure when the emulator
/// (named with its package) or its plugin is missing.
Status check_counting(const LinuxTools& tools);

/// Instructions of each inference of the quiet windows so far. Errors: infrastructure.
Result<std::vector<Instructions>> read_window_counts(const std::filesystem::path& counts_file);

/// What the emulator of a virtual board says of its version, in one line. Errors: infrastructure.
Result<std::string> emulator_version(const Board& board);

}  // namespace assay
