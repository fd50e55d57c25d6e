// The one way to read and write files: whole reads, and writes that are there whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

/// Whole file as text. Errors: bad_input "cannot read <path>: <reason>".
Result<std::string> read_text(const std::filesystem::path& path);

/// Whole file as bytes.
Result<std::vector<std::byte>> read_bytes(const std::filesystem::path& path);

/// Writes to a temporary file beside `path`, flushes it to disk and renames it over `path`; a
/// crash, a full disk or a kill leaves the old file or the new one, never a part. Errors:
/// infrastructure (full disk, no permission), with the temporary removed. Creates missing parent
/// folders.
Status write_atomically(const std::filesystem::path& path, std::string_view content);
Status write_atomically(const std::filesystem::path& path, std::span<const std::byte> content);

/// A fresh private folder that is removed with everything in it when the object dies.
class ScratchDirectory {
 public:
  /// Creates `<parent>/<prefix>XXXXXX`. Errors: infrastructure.
  static Result<ScratchDirectory> create(const std::filesystem::path& parent,
                                         std::string_view prefix);
  ScratchDirectory(ScratchDirectory&& other) noexcept;
  ScratchDirectory& operator=(ScratchDirectory&& other) noexcept;
  ~ScratchDirectory();
  const std::filesystem::path& path() const { return path_; }
  /// Flushes the files and renames the folder to `destination`, which becomes visible whole. When
  /// `destination` already exists (another process was faster) it is kept and this one is dropped.
  Status publish(const std::filesystem::path& destination) &&;

 private:
  explicit ScratchDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace assay
