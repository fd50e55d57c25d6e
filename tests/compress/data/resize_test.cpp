#include "compress/data/resize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace assay {
namespace {

using Pixels = std::vector<std::uint8_t>;

TEST(ResizeByArea, TakesTheMeanOfWhatAPixelCovers) {
  // By hand: each target pixel is the mean of 2 x 2.
  const RawImage image{1, 2, 4, {0, 10, 100, 101, 20, 30, 102, 103}};
  EXPECT_EQ(resize_by_area(image, 1, 2).pixels, (Pixels{15, 102}));  // 101.5 rounds up
  EXPECT_EQ(resize_by_area(image, 2, 4).pixels, image.pixels);
}

TEST(ResizeByArea, WeighsPixelsByTheirShare) {
  // Three to two: 0 counts whole and 90 half in the first, (0 * 1 + 90 * 0.5) / 1.5 = 30.
  EXPECT_EQ(resize_by_area({1, 1, 3, {0, 90, 240}}, 1, 2).pixels, (Pixels{30, 190}));
  // Two to three: the middle lies half in either.
  EXPECT_EQ(resize_by_area({1, 1, 2, {10, 20}}, 1, 3).pixels, (Pixels{10, 15, 20}));
}

TEST(ResizeByArea, KeepsChannelsApart) {
  const RawImage image{3, 1, 2, {10, 20, 30, 30, 40, 50}};
  EXPECT_EQ(resize_by_area(image, 1, 1).pixels, (Pixels{20, 30, 40}));
}

/// The mean over a target pixel's area as a plain double integral over a fine grid.
double sampled_mean(const RawImage& image, int height, int width, int y, int x) {
  constexpr int grid = 60;  // a multiple of every size below: samples never straddle a pixel's edge
  double sum = 0;
  for (int i = 0; i < grid; ++i)
    for (int j = 0; j < grid; ++j) {
      const int sy = int((y + (i + 0.5) / grid) * image.height / height);
      const int sx = int((x + (j + 0.5) / grid) * image.width / width);
      sum += image.pixels[std::size_t(sy * image.width + sx)];
    }
  return sum / (grid * grid);
}

TEST(ResizeByArea, AgreesWithSamplingTheArea) {
  std::mt19937 random(1);
  for (const auto& [from_h, from_w, to_h, to_w] :
       {std::array{6, 5, 4, 3}, {5, 6, 2, 5}, {3, 4, 5, 6}, {1, 1, 3, 2}, {6, 6, 1, 1}}) {
    RawImage image{1, from_h, from_w, {}};
    for (int i = 0; i < from_h * from_w; ++i)
      image.pixels.push_back(std::uint8_t(random() & 255));
    const RawImage out = resize_by_area(image, to_h, to_w);
    for (int y = 0; y < to_h; ++y)
      for (int x = 0; x < to_w; ++x)
        EXPECT_NEAR(out.pixels[std::size_t(y * to_w + x)], sampled_mean(image, to_h, to_w, y, x),
                    0.5 + 1e-9)
            << from_h << "x" << from_w << " to " << to_h << "x" << to_w;
  }
}

}  // namespace
}  // namespace assay
