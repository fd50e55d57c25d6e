// A network as a small C++ library for somebody's own firmware: generated code, the runtime headers
// it includes, a header that says what goes in and comes out, an example and how to compile it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/part.hpp"
#include "harness/core/result.hpp"
#include "targets/build/generate.hpp"

namespace assay {

/// What is exported.
struct LibraryOrder {
  GeneratedModel model;        ///< generated for `core`
  const IntegerGraph* graph;   ///< of that model
  const Core* core = nullptr;  ///< nullptr: the host
  const Part* part = nullptr;  ///< whose banks of RAM the model's arenas are for, where it has any
  std::string name;            ///< of the model file, for people
  std::string normalization;   ///< a sentence on what pixels become, or empty
};

/// A file of the library: its path in the folder, and its text.
struct LibraryFile {
  std::string path;
  std::string text;
};

/// The files: model.hpp, model.cpp, example.cpp, README.txt, LICENSE, and every header of
/// targets/runtime/ that model.cpp includes, directly or not. Reads the headers from source_root().
/// Errors: infrastructure when one is missing there.
Result<std::vector<LibraryFile>> library_files(const LibraryOrder& order);

/// Whether a folder can appear there. Errors: bad_input when there is no name, a file of that name,
/// a link, or a folder that is not empty; infrastructure when no file may be written beside it.
Status check_library_folder(const std::filesystem::path& folder);

/// Writes them as a new folder, which appears whole or not at all. Errors: those of
/// check_library_folder; infrastructure.
Status write_library(const std::vector<LibraryFile>& files, const std::filesystem::path& folder);

}  // namespace assay
