#include "compress/data/pointing.hpp"

#include <array>
#include <cmath>
#include <set>

#include "harness/core/hash.hpp"
#include "tests/compress/data/folders.hpp"

namespace assay::test {
namespace {

TEST(Pointing, HasDisjointSplits) {
  EXPECT_EQ(expect_disjoint_splits([](Split split) { return load_split("pointing", split); }),
            (std::vector<int>{2520, 540, 512, 540}));
  EXPECT_EQ(find_dataset("pointing")->training_images, 2520);
}

TEST(Pointing, NoSubjectIsOnBothSides) {
  std::set<std::uint32_t> seen;
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    std::set<std::uint32_t> own;
    for (const auto origin : pointing::load(split).origins)
      own.insert(origin / pointing::images_per_subject);
    for (const auto subject : own)
      EXPECT_TRUE(seen.insert(subject).second) << subject;
  }
  EXPECT_EQ(seen.size(), std::size_t(pointing::subjects));
}

/// Centre of the dark pixels: an eye finder that knows nothing of how images are drawn.
std::pair<double, double> dark_centre(const std::uint8_t* image) {
  double weight = 0;
  double x = 0;
  double y = 0;
  for (int i = 0; i < 32 * 32; ++i) {
    if (image[i] >= 90) continue;
    weight += 1;
    x += i % 32;
    y += i / 32;
  }
  return {x / weight, y / weight};
}

TEST(Pointing, TargetsSayWhereTheDiscIs) {
  const ImageSet set = pointing::load(Split::test);
  double error = 0;
  for (int i = 0; i < set.count; ++i) {
    const float* target = set.targets.data() + 2 * i;
    const auto [x, y] = dark_centre(set.image(i));
    // At rest in the middle, 7.5 pixels away at 1; subjects differ by a pixel.
    error += std::hypot(x - (15.5 + 7.5 * target[0]), y - (15.5 + 7.5 * target[1]));
    EXPECT_LE(std::abs(target[0]), 1);
    EXPECT_LE(std::abs(target[1]), 1);
  }
  EXPECT_LT(error / set.count, 1.2);
}

TEST(Pointing, TargetsFillTheSquare) {
  const ImageSet set = pointing::load(Split::train);
  std::array<int, 16> cells{};
  for (int i = 0; i < set.count; ++i) {
    const auto cell = [](float value) { return std::min(3, int((value + 1) * 2)); };
    ++cells[std::size_t(cell(set.targets[2 * std::size_t(i)]) * 4 +
                        cell(set.targets[2 * std::size_t(i) + 1]))];
  }
  // 2520 in 16 cells: 157.5 each with a deviation of 12.2; five deviations.
  for (const int count : cells)
    EXPECT_NEAR(count, 157.5, 61);
}

TEST(Pointing, NormalizationIsThatOfTheTrainingSplit) {
  const ImageSet set = pointing::load(Split::train);
  double sum = 0;
  double squares = 0;
  for (const double pixel : set.pixels) {
    sum += pixel;
    squares += pixel * pixel;
  }
  const double mean = sum / double(set.pixels.size());
  const auto info = pointing::info();
  EXPECT_NEAR(info.normalization.mean.at(0), mean / 255, 1e-5);
  EXPECT_NEAR(info.normalization.deviation.at(0),
              std::sqrt(squares / double(set.pixels.size()) - mean * mean) / 255, 1e-5);
}

/// Results of other days were made from these bits: a change needs a new recipe number.
TEST(Pointing, IsTheSameEverywhere) {
  const ImageSet set = pointing::load(Split::test);
  EXPECT_EQ(sha256_hex({reinterpret_cast<const char*>(set.pixels.data()), set.pixels.size()}),
            "c849975402cc4f70b8038024cd77f7ed96904d13c2ac0272154724c8acada085");
}

}  // namespace
}  // namespace assay::test
