// The SHA-256 of every file of a stage's result, in sums.json beside them: what was damaged on disk
// is found before something is made of it. Thread-safe.
#pragma once

#include <filesystem>

#include "harness/core/result.hpp"

namespace assay {

/// Writes sums.json over all files in `folder` and below it: {"model.onnx": "<SHA-256>", ...}.
/// Errors: those of reading and writing.
Status write_sums(const std::filesystem::path& folder);

/// Whether the files that sums.json names are as they were; other files are left alone. Reads them
/// all. Errors: infrastructure, naming the first file that is missing or has changed.
Status check_sums(const std::filesystem::path& folder);

}  // namespace assay
