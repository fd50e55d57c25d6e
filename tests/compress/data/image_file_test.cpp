#include "tests/compress/data/image_writer.hpp"

#include "tests/compress/data/folders.hpp"

namespace assay::test {
namespace {

using Pixels = std::vector<std::uint8_t>;

struct PngCase {
  const char* what;
  std::string file;
  int channels;
  Pixels pixels;
};

class DecodesPng : public ::testing::TestWithParam<PngCase> {};

TEST_P(DecodesPng, ToTheValuesItWasWrittenWith) {
  const auto image = decode_image(bytes_of(GetParam().file));
  ASSERT_TRUE(image) << GetParam().what << ": " << image.error().message;
  EXPECT_EQ(image->channels, GetParam().channels) << GetParam().what;
  EXPECT_EQ(image->height, 2);
  EXPECT_EQ(image->width, 2);
  EXPECT_EQ(image->pixels, GetParam().pixels) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Png, DecodesPng,
    ::testing::Values(
        PngCase{"grey", png_file(2, {{1, 2}, {3, 127}}, 8, PngColour::grey), 1, {1, 2, 3, 127}},
        PngCase{"two-bit grey",
                png_file(2, {{'\x10'}, {char(0xb0)}}, 2, PngColour::grey),
                1,
                {0, 85, 170, 255}},
        PngCase{"sixteen-bit grey",
                png_file(2, {{1, 99, 2, 99}, {3, 99, 4, 99}}, 16, PngColour::grey),
                1,
                {1, 2, 3, 4}},
        PngCase{"grey with alpha",
                png_file(2, {{1, 50, 2, 0}, {3, 0, 4, 9}}, 8, PngColour::grey_alpha),
                1,
                {1, 2, 3, 4}},
        PngCase{"colour",
                png_file(2, {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}}, 8, PngColour::rgb),
                3,
                {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
        PngCase{"colour with alpha",
                png_file(2, {{1, 2, 3, 0, 4, 5, 6, 9}, {7, 8, 9, 0, 10, 11, 12, 1}}, 8,
                         PngColour::rgba),
                3,
                {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
        PngCase{"palette",
                png_file(2, {{0, 1}, {1, 0}}, 8, PngColour::palette, {9, 8, 7, 4, 5, 6}),
                3,
                {9, 8, 7, 4, 5, 6, 4, 5, 6, 9, 8, 7}}));

TEST(Jpeg, IsDecodedToNearlyWhatItWasMadeOf) {
  for (const int channels : {1, 3}) {
    RawImage image{channels, 16, 24, {}};
    for (int i = 0; i < 16 * 24; ++i)
      for (int c = 0; c < channels; ++c)
        image.pixels.push_back(std::uint8_t(i / 24 * 8 + i % 24 * 3 + 20 * c));
    const auto decoded = decode_image(bytes_of(jpeg_file(image)));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->channels, channels);
    EXPECT_EQ(decoded->height, 16);
    EXPECT_EQ(decoded->width, 24);
    ASSERT_EQ(decoded->pixels.size(), image.pixels.size());
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
      EXPECT_NEAR(decoded->pixels[i], image.pixels[i], 3) << i;
  }
}

TEST(DecodeImage, RefusesWhateverIsNotWhole) {
  const RawImage image{3, 12, 12, Pixels(12 * 12 * 3, 90)};
  for (const std::string& file : {png_file(image), jpeg_file(image)}) {
    for (const std::size_t length :
         {std::size_t(0), std::size_t(1), std::size_t(9), file.size() / 2, file.size() - 13})
      EXPECT_FALSE(decode_image(bytes_of(file.substr(0, length)))) << length;
    EXPECT_TRUE(decode_image(bytes_of(file)));
  }
}

TEST(DecodeImage, NoticesADamagedPngByItsCheckSums) {
  const std::string whole = png_file(RawImage{1, 8, 8, Pixels(64, 7)});
  for (std::size_t position = 8; position < whole.size(); ++position) {
    std::string damaged = whole;
    damaged[position] = char(damaged[position] ^ 0x40);
    EXPECT_FALSE(decode_image(bytes_of(damaged))) << "byte " << position;
  }
}

TEST(DecodeImage, SaysWhatIsWrong) {
  const auto refusal = [](const std::string& file) {
    return Status(decode_image(bytes_of(file)).map([](auto) {}));
  };
  expect_refused(refusal(""), {"is empty"});
  expect_refused(refusal("GIF89a"), {"is neither a PNG nor a JPEG"});
  const std::string png = png_file(flat_image(1, 9, 9, 5));
  expect_refused(refusal(png.substr(0, png.size() - 20)), {"is cut short"});
  const std::string jpeg = jpeg_file(flat_image(3, 64, 64, 5));
  expect_refused(refusal(jpeg.substr(0, jpeg.size() - 13)), {"is not an intact JPEG"});
}

TEST(Colours, AreConvertedByLuma) {
  // 0.299 * 100 + 0.587 * 200 + 0.114 * 50 = 153; pure red 76.2, green 149.7, blue 29.1.
  const RawImage colours{3, 1, 4, {100, 200, 50, 255, 0, 0, 0, 255, 0, 0, 0, 255}};
  EXPECT_EQ(to_grey(colours).pixels, (Pixels{153, 76, 150, 29}));
  EXPECT_EQ(to_colour({1, 1, 2, {7, 9}}).pixels, (Pixels{7, 7, 7, 9, 9, 9}));
  EXPECT_EQ(to_colour(colours).pixels, colours.pixels);
}

}  // namespace
}  // namespace assay::test
