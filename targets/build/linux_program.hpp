// From generated model code and a board that runs Linux to a static executable: the model, the
// device's main loop and the port over standard input and output (targets/port/host), compiled by
// the cross compiler that the part's core names. It needs no file and no library on the board. The
// same request gives the same bytes. Thread-safe as long as two builds do not share an output
// directory.
#pragma once

#include <stop_token>

#include "targets/build/firmware.hpp"

namespace assay {

/// Whether the cross compiler is installed. Errors: infrastructure, naming its package.
Status check_compiler(const LinuxTools& tools);

/// Builds firmware.elf for request.board, whose part must run Linux; the clock of the request has
/// no effect and the image carries the board's nominal one. Sizes: rom is what the program's
/// segments hold of the file, weights and code are the constants and the code of the model's own
/// object; of variables, ram_arena are the model's and ram_static all others, those of the C
/// library too; map, linker script and stack reserve are not there. Errors: infrastructure when the
/// cross compiler is missing (named with its package) or refuses the code, with its first
/// complaint; interrupted.
Result<FirmwareImage> build_linux_program(const FirmwareRequest& request,
                                          std::stop_token stop = {});

}  // namespace assay
