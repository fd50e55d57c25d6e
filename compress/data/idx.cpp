#include "compress/data/idx.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "compress/data/gzip.hpp"

namespace assay {
namespace {

constexpr std::uint8_t unsigned_byte = 0x08;  // IDX element type

/// Reads what is not packed, with the interface of GzipReader.
class PlainReader {
 public:
  PlainReader(std::span<const std::byte> data, const std::string& source)
      : rest_(data), source_(source) {}

  Status read(std::span<std::uint8_t> out) {
    if (rest_.size() < out.size()) return damaged("less");
    std::memcpy(out.data(), rest_.data(), out.size());
    rest_ = rest_.subspan(out.size());
    return {};
  }
  Status finish() {
    if (!rest_.empty()) return damaged("more");
    return {};
  }

 private:
  tl::unexpected<Error> damaged(const char* how) const {
    return fail(
        ErrorKind::bad_input,
        fmt::format("{} holds {} data than its header announces; install it anew", source_, how));
  }

  std::span<const std::byte> rest_;
  const std::string& source_;
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

template <class Reader>
Result<std::vector<std::uint8_t>> read_elements(Reader reader, const std::vector<int>& dimensions,
                                                int leading, const std::string& source) {
  std::vector<std::uint8_t> header(4 + 4 * dimensions.size());
  ASSAY_CHECK(reader.read(header));
  ASSAY_CHECK(check_header(header, dimensions, source));
  const int items = std::min(leading, dimensions[0]);
  std::size_t size = std::size_t(items);
  for (std::size_t i = 1; i < dimensions.size(); ++i)
    size *= std::size_t(dimensions[i]);
  std::vector<std::uint8_t> elements(size);
  ASSAY_CHECK(reader.read(elements));
  if (items == dimensions[0]) ASSAY_CHECK(reader.finish());
  return elements;
}

}  // namespace

Result<std::vector<std::uint8_t>> read_idx(std::span<const std::byte> file,
                                           const std::vector<int>& dimensions, int leading,
                                           const std::string& source) {
  if (is_gzip(file)) return read_elements(GzipReader(file, source), dimensions, leading, source);
  return read_elements(PlainReader(file, source), dimensions, leading, source);
}

}  // namespace assay
