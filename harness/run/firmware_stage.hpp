// The firmware of a model for a board type, as a stage with its artifacts.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/core/board_type.hpp"
#include "harness/core/metric.hpp"
#include "harness/plan/deploy_goal.hpp"
#include "harness/run/kernel_selection.hpp"

namespace assay {

/// What firmware.json says about a build.
struct FirmwareFacts {
  bool fits = true;
  std::string does_not_fit;  ///< "region RAM of stm32f030cc overflows by 1 234 bytes"
  std::string build_id;
  std::string model_hash;
  Metrics metrics;  ///< rom_*, ram_arena_bytes, ram_static_bytes, macc
  Json build;       ///< ELF hash, build id, compiler, flags, goal; layers: see KernelSelection
  std::vector<std::string> notices;
  std::optional<Cycles> modelled_cycles;  ///< of an inference; where there is a latency budget
};

/// What a firmware is built of.
struct FirmwareOrder {
  std::filesystem::path model;
  std::filesystem::path trial;  ///< trial.json of the model on the board type
  BoardType board_type;
  Pace pace;
  std::string compiler_level;  ///< "-O2"
  DeployGoal goal;
};

/// Chooses the kernels and builds the model into `directory`: firmware.elf, firmware.map,
/// firmware.json. Where the image takes more than a flash budget that its layers keep one by one,
/// or an inference on the virtual board of the part more than a latency budget, smaller or faster
/// kernels are chosen as long as that helps. A model that does not fit is a result (fits false, no
/// ELF), not an error.
Status build_firmware_stage(const FirmwareOrder& order, const std::filesystem::path& directory,
                            std::stop_token stop);

/// Reads what the stage wrote. Errors: bad_input.
Result<FirmwareFacts> read_firmware_facts(const std::filesystem::path& directory);

/// The kernels and strips that a firmware was built with, as they were chosen. Errors: bad_input
/// where there is no kernel of such a name.
Result<KernelSelection> selection_of(const FirmwareFacts& facts);

}  // namespace assay
