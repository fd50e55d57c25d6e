#include "compress/data/idx.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include <numeric>

namespace assay {
namespace {

using ::testing::HasSubstr;

std::vector<std::byte> gzip(const std::vector<std::uint8_t>& plain) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::vector<std::byte> packed(deflateBound(&stream, uLong(plain.size())) + 32);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = uInt(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = uInt(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// Four images of 2 x 3 whose pixels count from 0: header and elements.
std::vector<std::uint8_t> images() {
  std::vector<std::uint8_t> plain{0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 3};
  for (int i = 0; i < 24; ++i)
    plain.push_back(std::uint8_t(i));
  return plain;
}

const std::vector<int> shape{4, 2, 3};

std::vector<std::uint8_t> counting(int count) {
  std::vector<std::uint8_t> values(count);
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  return values;
}

TEST(ReadIdx, ReturnsTheElements) {
  const auto read = read_idx(gzip(images()), shape, 4, "images.gz");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, counting(24));
}

TEST(ReadIdx, UnpacksOnlyTheLeadingItems) {
  auto packed = gzip(images());
  // Damage behind the wanted items is not looked at: the last 8 bytes are CRC and length.
  packed.back() ^= std::byte{0xff};
  const auto read = read_idx(packed, shape, 2, "images.gz");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, counting(12));
  EXPECT_FALSE(read_idx(packed, shape, 4, "images.gz"));
}

struct BadContent {
  const char* what;
  std::vector<std::uint8_t> plain;
  const char* message;
};

std::vector<std::uint8_t> with(std::size_t position, std::uint8_t value) {
  auto plain = images();
  plain[position] = value;
  return plain;
}

std::vector<std::uint8_t> resized(std::size_t size) {
  auto plain = images();
  plain.resize(size);
  return plain;
}

class ReadIdxRefuses : public ::testing::TestWithParam<BadContent> {};

TEST_P(ReadIdxRefuses, WithTheReason) {
  const auto read = read_idx(gzip(GetParam().plain), shape, 4, "images.gz");
  ASSERT_FALSE(read) << GetParam().what;
  EXPECT_EQ(read.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(read.error().message, HasSubstr("images.gz"));
  EXPECT_THAT(read.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Contents, ReadIdxRefuses,
    ::testing::Values(
        BadContent{"another magic number", with(0, 1), "not an IDX file"},
        BadContent{"floats", with(2, 0x0d), "starts with 00 00 0d 03"},
        BadContent{"labels where images belong", with(3, 1), "in 3 dimension(s)"},
        BadContent{"another height", with(11, 9), "dimensions 4 x 9 x 3, expected 4 x 2 x 3"},
        BadContent{"a huge count", with(4, 0xff), "4278190084 x 2 x 3"},
        BadContent{"one element missing", resized(16 + 23), "less data than its header"},
        BadContent{"one element too many", resized(16 + 25), "more data than its header"},
        BadContent{"half a header", resized(9), "less data"},
        BadContent{"nothing", {}, "less data"}));

TEST(ReadIdx, RefusesATruncatedFileWhereverItEnds) {
  const auto whole = gzip(images());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto read = read_idx(std::span(whole).first(length), shape, 4, "images.gz");
    ASSERT_FALSE(read) << "of " << length << " bytes";
    // Too short to be told from a plain file, it is one with less data.
    EXPECT_THAT(read.error().message, HasSubstr(length < 2 ? "less data" : "truncated"))
        << "of " << length << " bytes";
  }
}

TEST(ReadIdx, SurvivesEveryFlippedByte) {
  const auto whole = gzip(images());
  for (std::size_t position = 0; position < whole.size(); ++position) {
    auto damaged = whole;
    damaged[position] ^= std::byte{0xff};
    const auto read = read_idx(damaged, shape, 4, "images.gz");
    // Time, flags and system of the gzip header carry no data; anything else must be noticed.
    // (Without its first two bytes it is a plain file, and no IDX file.)
    if (position < 2 || position >= 10) {
      EXPECT_FALSE(read) << "byte " << position;
    } else if (read) {
      EXPECT_EQ(*read, counting(24)) << "byte " << position;
    }
  }
}

TEST(ReadIdx, ReadsPlainFilesToo) {
  const auto plain = images();
  const auto read = read_idx(std::as_bytes(std::span(plain)), shape, 4, "images");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, counting(24));
  for (const auto& [size, words] : {std::pair<std::size_t, const char*>{16 + 23, "holds less data"},
                                    {16 + 25, "holds more data"},
                                    {3, "holds less data"}}) {
    const auto bad = resized(size);
    const auto refused = read_idx(std::as_bytes(std::span(bad)), shape, 4, "images");
    ASSERT_FALSE(refused) << size;
    EXPECT_THAT(refused.error().message, HasSubstr(words));
  }
}

TEST(ReadIdx, RefusesAFileOfAnotherKind) {
  const std::string text = "This is no IDX file, and it is long enough to have a header.";
  const auto read = read_idx(std::as_bytes(std::span(text)), shape, 4, "images.gz");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("images.gz is not an IDX file"));
}

}  // namespace
}  // namespace assay
