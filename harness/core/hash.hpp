// SHA-256 (libcrypto), the one identity hash of assay. Lower-case hex everywhere.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "harness/core/result.hpp"

namespace assay {

/// Incremental SHA-256 (FIPS 180-4). Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::string_view data);
  void update(std::span<const std::byte> data);
  /// 64 hex digits; the object may not be used afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view data);

/// Hash of a file's content, read in blocks. Errors: bad_input when it cannot be read.
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace assay
