// The folder a user works in, and the options that point elsewhere: store, cache, inventory,
// output.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

#include "harness/core/paths.hpp"

namespace assay::cli {

/// Paths shared by the verbs. Defaults: everything in the current folder, the cache in the user's.
struct Project {
  std::filesystem::path store = "assay.db";
  std::filesystem::path boards = "boards.json";
  std::filesystem::path output = "assay-out";
  std::filesystem::path cache = default_cache();

  void add_store(CLI::App& options) {
    options.add_option("--store", store, "Results database")->capture_default_str();
  }
  void add_boards(CLI::App& options) {
    options.add_option("--boards", boards, "Board inventory")->capture_default_str();
  }
  void add_output(CLI::App& options) {
    options.add_option("--out", output, "Folder for reports and artifacts")->capture_default_str();
  }
  void add_cache(CLI::App& options) {
    options.add_option("--cache", cache, "Stage cache")->capture_default_str();
  }
};

}  // namespace assay::cli
