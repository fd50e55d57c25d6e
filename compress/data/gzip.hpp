// gzip data in memory (RFC 1952), unpacked piece by piece. Not thread-safe; objects are
// independent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

/// Whether the data starts as gzip data does.
bool is_gzip(std::span<const std::byte> data);

/// A gzip stream. `packed` and `source` (which names it in messages) outlive the object.
/// Errors of every function: bad_input for damaged or truncated data.
class GzipReader {
 public:
  GzipReader(std::span<const std::byte> packed, const std::string& source);
  ~GzipReader();

  /// Fills `out` completely; an error when there is less.
  Status read(std::span<std::uint8_t> out);
  /// Unpacks at most `out.size()` bytes; returns how many, 0 at the end of the data.
  Result<std::size_t> read_some(std::span<std::uint8_t> out);
  /// Checks that the data ends here and that its check sum holds.
  Status finish();

 private:
  struct Stream;
  Status check(int code) const;
  tl::unexpected<Error> damaged(const std::string& how) const;

  const std::string& source_;
  std::unique_ptr<Stream> stream_;
};

/// The whole content, check sum verified. Errors: bad_input, also when it is larger than `limit`.
Result<std::vector<std::byte>> unpack_gzip(std::span<const std::byte> packed, std::size_t limit,
                                           const std::string& source);

}  // namespace assay
