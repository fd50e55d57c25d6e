#include "compress/data/idx.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace assay {
namespace {

constexpr std::uint8_t unsigned_byte = 0x08;  // IDX element type

/// A gzip stream in memory, unpacked piece by piece.
class Gunzip {
 public:
  Gunzip(std::span<const std::byte> packed, const std::string& source) : source_(source) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
    stream_.avail_in = uInt(packed.size());
    // 15 bits of window as RFC 1952 allows; 16 more asks zlib for a gzip header and trailer.
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
  }
  ~Gunzip() { inflateEnd(&stream_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  /// Fills `out` completely.
  Status read(std::span<std::uint8_t> out) {
    stream_.next_out = out.data();
    stream_.avail_out = uInt(out.size());
    while (stream_.avail_out > 0) {
      const int code = inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END && stream_.avail_out == 0) break;
      if (code == Z_STREAM_END) return damaged("holds less data than its header announces");
      ASSAY_CHECK(check(code));
    }
    return {};
  }

  /// Checks that the data ends here and that its check sum holds.
  Status finish() {
    std::uint8_t surplus;
    stream_.next_out = &surplus;
    stream_.avail_out = 1;
    const int code = inflate(&stream_, Z_FINISH);
    if (stream_.avail_out == 0) return damaged("holds more data than its header announces");
    if (code != Z_STREAM_END) return check(code);
    return {};
  }

 private:
  Status check(int code) {
    if (code == Z_OK) return {};
    if (code == Z_BUF_ERROR) return damaged("is truncated");
    return damaged(
        fmt::format("is not intact gzip data ({})", stream_.msg ? stream_.msg : "unexpected end"));
  }
  tl::unexpected<Error> damaged(const std::string& how) const {
    return fail(ErrorKind::bad_input, fmt::format("{} {}; install it anew", source_, how));
  }

  const std::string& source_;
  z_stream stream_{};
};

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

Status check_header(std::span<const std::uint8_t> header, const std::vector<int>& dimensions,
                    const std::string& source) {
  if (header[0] != 0 || header[1] != 0 || header[2] != unsigned_byte ||
      header[3] != dimensions.size())
    return fail(ErrorKind::bad_input,
                fmt::format("{} is not an IDX file of unsigned bytes in {} dimension(s): it starts "
                            "with {:02x}",
                            source, dimensions.size(), fmt::join(header.first(4), " ")));
  std::vector<std::uint32_t> found;
  for (std::size_t i = 0; i < dimensions.size(); ++i)
    found.push_back(big_endian(header.data() + 4 + 4 * i));
  if (!std::equal(found.begin(), found.end(), dimensions.begin(),
                  [](std::uint32_t a, int b) { return std::int64_t{a} == b; }))
    return fail(ErrorKind::bad_input,
                fmt::format("{} has dimensions {}, expected {}", source, fmt::join(found, " x "),
                            fmt::join(dimensions, " x ")));
  return {};
}

}  // namespace

Result<std::vector<std::uint8_t>> read_idx(std::span<const std::byte> gzip,
                                           const std::vector<int>& dimensions, int leading,
                                           const std::string& source) {
  if (gzip.size() > std::numeric_limits<uInt>::max())
    return fail(ErrorKind::bad_input, fmt::format("{} is too large to be a data set", source));
  Gunzip stream(gzip, source);
  std::vector<std::uint8_t> header(4 + 4 * dimensions.size());
  ASSAY_CHECK(stream.read(header));
  ASSAY_CHECK(check_header(header, dimensions, source));
  const int items = std::min(leading, dimensions[0]);
  std::size_t size = std::size_t(items);
  for (std::size_t i = 1; i < dimensions.size(); ++i)
    size *= std::size_t(dimensions[i]);
  std::vector<std::uint8_t> elements(size);
  ASSAY_CHECK(stream.read(elements));
  if (items == dimensions[0]) ASSAY_CHECK(stream.finish());
  return elements;
}

}  // namespace assay
