// SHA-256 of many files without reading those again that have not changed. Not thread-safe; two
// processes may use one index, the last to save wins and nothing becomes wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "harness/core/result.hpp"

namespace assay {

/// Hashes of files by path, size and time of modification, kept in an index file: one line a file,
/// "<sha256> <size> <modified, ns> <path>". Lines that cannot be read are as if they were not
/// there.
class FileHashes {
 public:
  /// Reads the index when there is one.
  explicit FileHashes(std::filesystem::path index);

  /// From the index, or by reading the file. A file younger than two seconds is always read: it
  /// could change again without its time changing. Errors: bad_input when it cannot be read.
  Result<std::string> hash(const std::filesystem::path& file);

  /// Writes the index if it lacks something, with the files asked for and no others. Errors:
  /// infrastructure.
  Status save() const;

 private:
  struct Entry {
    std::uintmax_t size = 0;
    std::int64_t modified = 0;  ///< nanoseconds
    std::string sha256;
  };

  std::filesystem::path index_;
  std::map<std::string, Entry> known_;
  std::map<std::string, Entry> used_;
  bool changed_ = false;
};

}  // namespace assay
