// The firmware of a model for a board type, as a stage with its artifacts.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "harness/core/board_type.hpp"
#include "harness/core/metric.hpp"
#include "targets/pack/deployment.hpp"

namespace assay {

/// What firmware.json says about a build.
struct FirmwareFacts {
  bool fits = true;
  std::string does_not_fit;  ///< "region RAM of stm32f030cc overflows by 1 234 bytes"
  std::string build_id;
  std::string model_hash;
  Metrics metrics;  ///< rom_*, ram_arena_bytes, ram_static_bytes, macc
  Json build;       ///< ELF hash, build id, compiler, flags, kernel of every layer
};

/// Builds `model` for a board type into `directory`: firmware.elf, firmware.map, firmware.json. A
/// model that does not fit is a result (fits false, no ELF), not an error.
Status build_firmware_stage(const std::filesystem::path& model, const BoardType& board_type,
                            std::optional<Hertz> clock, const std::string& optimize,
                            const KernelChoice& kernels, const std::filesystem::path& directory,
                            std::stop_token stop);

/// Reads what the stage wrote. Errors: bad_input.
Result<FirmwareFacts> read_firmware_facts(const std::filesystem::path& directory);

}  // namespace assay
