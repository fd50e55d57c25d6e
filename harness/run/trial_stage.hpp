// What every kernel that may run a layer costs there, found by running each on the virtual board of
// the part, as a stage with its artifact. Also where a wrong kernel is found, before any firmware
// is built with it.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/core/board_type.hpp"
#include "harness/core/units.hpp"
#include "targets/pack/weight_form.hpp"

namespace assay {

/// A kernel on a layer.
struct TriedKernel {
  std::string kernel;  ///< row of the kernel table
  WeightForm form = WeightForm::int8;
  Bytes constants;
  Bytes scratch;
  std::optional<Bytes> code;     ///< absent, as what follows: it was not run
  std::optional<Cycles> cycles;  ///< modelled; of microcontrollers
  std::string refused;           ///< why it was not run: "alone it overflows region FLASH by ..."
  std::optional<Instructions> instructions = {};  ///< executed; under Linux, instead of cycles

  bool ran() const { return cycles || instructions; }
  /// What its run is compared by: cycles or, under Linux, instructions; 0 where it did not run.
  std::uint64_t work() const;
};

/// What trial.json says.
struct Trial {
  std::vector<std::vector<TriedKernel>> layers;  ///< the first kernel of each is dense int8
  std::string notice;                            ///< why nothing could be tried; empty when it was
  std::optional<Bytes> flash_left;               ///< for the layers' constants and code
  std::optional<Bytes> ram_left;                 ///< for the arena
};

/// What is tried.
struct TrialOrder {
  std::filesystem::path model;
  BoardType board_type;
  Hertz clock;                 ///< the core's: wait states, and so cycles, depend on it
  std::string compiler_level;  ///< "-O2"
};

/// Tries every candidate kernel of every layer of a model and writes trial.json into `directory`.
/// For parts that run Linux, whose cycles nothing models, executed instructions are counted; where
/// the tools for it are missing, the trial is a notice and no figures. Errors: failed_verdict when
/// a kernel's outputs differ from the reference kernel's; those of building and of the board.
Status try_kernels_stage(const TrialOrder& order, const std::filesystem::path& directory,
                         std::stop_token stop);

/// Reads trial.json. Errors: bad_input.
Result<Trial> read_trial(const std::filesystem::path& path);

}  // namespace assay
