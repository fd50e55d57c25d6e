// Where assay finds its own data: parts, board types, matrices, device sources, built programs.
#pragma once

#include <filesystem>

namespace assay {

/// The source tree (parts, board types, matrices, device sources). ASSAY_ROOT overrides the folder
/// the program was built from.
std::filesystem::path source_root();

/// The build folder this program was built in; programs and prebuilt device objects are below it.
/// ASSAY_BUILD overrides it.
std::filesystem::path build_root();

/// A program of ours in the build folder: "assay-train", "virtual-board".
std::filesystem::path own_program(const char* name);

/// QEMU's plugin that counts the instructions of programs for Linux.
std::filesystem::path count_plugin();

/// Default stage cache: $XDG_CACHE_HOME/assay, or ~/.cache/assay.
std::filesystem::path default_cache();

/// Where data sets are fetched to and prepared sets are kept: "assay-data" beside the default stage
/// cache.
std::filesystem::path default_data();

}  // namespace assay
