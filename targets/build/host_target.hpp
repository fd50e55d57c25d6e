// The `host` target: generated code over portable kernels, the device's main loop and a port over
// standard input and output, compiled by g++. The program speaks the frames of
// targets/wire/FORMAT.md on its pipes. Thread-safe as long as each call has a folder of its own.
#pragma once

#include <filesystem>
#include <stop_token>

#include "harness/core/result.hpp"
#include "targets/build/generate.hpp"

namespace assay {

/// A compiled host program.
struct HostProgram {
  std::filesystem::path executable;  ///< <directory>/model
  std::filesystem::path source;      ///< <directory>/model.cpp
};

/// Writes model.cpp into `directory` (created if missing) and compiles it with -O3. Errors:
/// infrastructure when g++ is missing or fails (its first message is quoted), or the disk is full;
/// interrupted when `stop` fired.
Result<HostProgram> build_host_program(const GeneratedModel& model,
                                       const std::filesystem::path& directory,
                                       std::stop_token stop = {});

}  // namespace assay
