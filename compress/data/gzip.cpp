#include "compress/data/gzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace assay {

struct GzipReader::Stream {
  z_stream z{};
  bool ended = false;
  ~Stream() { inflateEnd(&z); }
};

bool is_gzip(std::span<const std::byte> data) {
  return data.size() >= 2 && data[0] == std::byte{0x1f} && data[1] == std::byte{0x8b};
}

GzipReader::GzipReader(std::span<const std::byte> packed, const std::string& source)
    : source_(source), stream_(std::make_unique<Stream>()) {
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  z.avail_in = uInt(std::min<std::size_t>(packed.size(), std::numeric_limits<uInt>::max()));
  // 15 bits of window as RFC 1952 allows; 16 more asks zlib for a gzip header and trailer.
  if (inflateInit2(&z, 15 + 16) != Z_OK) throw std::bad_alloc();
}

GzipReader::~GzipReader() = default;

Status GzipReader::check(int code) const {
  if (code == Z_OK) return {};
  if (code == Z_BUF_ERROR) return damaged("is truncated");
  return damaged(fmt::format("is not intact gzip data ({})",
                             stream_->z.msg ? stream_->z.msg : "unexpected end"));
}

tl::unexpected<Error> GzipReader::damaged(const std::string& how) const {
  return fail(ErrorKind::bad_input, fmt::format("{} {}; install it anew", source_, how));
}

Result<std::size_t> GzipReader::read_some(std::span<std::uint8_t> out) {
  z_stream& z = stream_->z;
  z.next_out = out.data();
  z.avail_out = uInt(out.size());
  while (z.avail_out > 0 && !stream_->ended) {
    const int code = inflate(&z, Z_NO_FLUSH);
    stream_->ended = code == Z_STREAM_END;
    if (!stream_->ended) ASSAY_CHECK(check(code));
  }
  return out.size() - z.avail_out;
}

Status GzipReader::read(std::span<std::uint8_t> out) {
  ASSAY_TRY(const std::size_t count, read_some(out));
  if (count < out.size()) return damaged("holds less data than its header announces");
  return {};
}

Status GzipReader::finish() {
  std::uint8_t surplus = 0;
  ASSAY_TRY(const std::size_t count, read_some({&surplus, 1}));
  if (count > 0) return damaged("holds more data than its header announces");
  return {};
}

Result<std::vector<std::byte>> unpack_gzip(std::span<const std::byte> packed, std::size_t limit,
                                           const std::string& source) {
  constexpr std::size_t block = std::size_t{1} << 20;
  GzipReader reader(packed, source);
  std::vector<std::byte> content;
  while (true) {
    const std::size_t start = content.size();
    content.resize(start + block);
    ASSAY_TRY(const std::size_t count,
              reader.read_some({reinterpret_cast<std::uint8_t*>(content.data()) + start, block}));
    content.resize(start + count);
    if (content.size() > limit)
      return fail(ErrorKind::bad_input,
                  fmt::format("{} unpacks to more than {} bytes; install it anew", source, limit));
    if (count < block) return content;
  }
}

}  // namespace assay
