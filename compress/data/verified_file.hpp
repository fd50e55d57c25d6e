// Files of a data set that are known by their SHA-256. Thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

/// A file and the SHA-256 of its content.
struct SourceFile {
  std::string name;
  std::string sha256;
};

/// The file of that name in `folder`, or the one with ".gz" behind its name; absent when there is
/// neither.
std::filesystem::path find_source_file(const std::filesystem::path& folder, const SourceFile& file);

/// The file's bytes, hashed before anything looks into them. When only "NAME.gz" is there it is
/// unpacked, and the hash is that of what it holds. `remedy` ends a message: "install the Debian
/// package ...". Errors: bad_input when the file is missing or has another hash (both stated).
Result<std::vector<std::byte>> read_verified(const std::filesystem::path& folder,
                                             const SourceFile& file, std::string_view remedy);

/// One hash over the hashes of all files and a rule: the identity of what they mean.
std::string fingerprint_of(const std::vector<SourceFile>& files, std::string_view rule);

}  // namespace assay
