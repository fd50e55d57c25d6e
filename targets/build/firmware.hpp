// From generated model code and a board type to a firmware ELF, with its memory accounted for.
//
// The runtime of the core is prebuilt (targets/port/); one build compiles the model, the board's
// constants and the entry, and links. The same request gives the same ELF bytes, wherever it is
// built. Thread-safe as long as two builds do not share an output directory.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/core/board_type.hpp"
#include "targets/build/generate.hpp"

namespace assay {

/// What to build.
struct FirmwareRequest {
  GeneratedModel model;
  BoardType board;
  std::optional<Hertz> clock;              ///< absent: the board type's own
  std::string compiler_level = "-O2";      ///< "-O2", "-O3" or "-Os"
  Bytes stack_reserve{2048};               ///< the device reports what it really used
  std::filesystem::path output_directory;  ///< created; firmware.elf and its companions land here
};

/// What was built. The ROM figures add up: rom = weights + code + runtime. The RAM figures are
/// disjoint: the region holds arena + static + stack reserve.
struct FirmwareImage {
  std::filesystem::path elf;
  std::filesystem::path map;
  std::filesystem::path linker_script;
  std::string build_id;  ///< hex, as the device sends it in its hello
  std::string sha256;    ///< of the ELF file
  Bytes rom;             ///< programmed into flash
  Bytes rom_weights;     ///< constants of the generated model: weights, bias, multipliers
  Bytes rom_code;        ///< code of the generated model, its kernels included
  Bytes rom_runtime;     ///< everything else: startup, drivers, main loop, library functions
  Bytes ram_static;      ///< variables and buffers outside the arena
  Bytes ram_arena;       ///< variables of the generated model
  Bytes stack_reserve;
  std::map<std::string, Bytes> functions;  ///< sizes by symbol, the model's own among them
  Hertz clock;                             ///< the clock the firmware sets
  std::string compiler;                    ///< first line of the compiler's --version
  std::vector<std::string> flags;          ///< that decide the code: core, language, optimization
};

/// Builds it; for a board that runs Linux as build_linux_program() says. Errors: bad_input for a
/// clock or baud the board cannot make or an unknown optimization level; failed_verdict "does not
/// fit: region RAM of stm32f030cc overflows by 1 234 bytes"; infrastructure when the cross compiler
/// (named with its packages) or the prebuilt runtime is missing, or when the compiler refuses the
/// code, with its first complaint; interrupted.
Result<FirmwareImage> build_firmware(const FirmwareRequest& request, std::stop_token stop = {});

/// What ld's error output says about regions that are too small, as the words after "does not fit:
/// ", or nothing when that is not what it complains about.
std::optional<std::string> describe_overflow(const std::string& linker_errors,
                                             const std::string& part);

}  // namespace assay
