// Pixels to inputs, changed or not, against the formula.
#include "compress/train/preprocess.hpp"

#include <gtest/gtest.h>

#include "tests/compress/train/bright_halves.hpp"

namespace assay {
namespace {

using testing_models::bright_halves;

const Normalization normalization{{0.4F}, {0.25F}};

Augmenter augmenter(const AugmentSettings& settings, std::uint64_t seed) {
  DatasetInfo data;
  data.name = "bright-halves";
  data.channels = 1;
  data.height = data.width = 8;
  data.normalization = normalization;
  auto created = Augmenter::create(settings, data, seed);
  if (!created) throw std::runtime_error(created.error().message);
  return *created;
}

TEST(Preprocessing, NormalizesEachChannel) {
  const ImageSet images{2, 2, 1, 2, {0, 255, 51, 102, 1, 2, 3, 4}, {0, 1}};
  std::vector<float> out;
  const int both[] = {1, 0};
  Preprocessor({{0.5F, 0.25F}, {0.5F, 0.125F}}).gather(images, both, out);
  const std::uint8_t order[] = {1, 2, 3, 4, 0, 255, 51, 102};
  ASSERT_EQ(out.size(), 8U);
  for (int i = 0; i < 8; ++i) {
    const bool second = i % 4 > 1;  // channel
    EXPECT_FLOAT_EQ(out[std::size_t(i)],
                    float((order[i] / 255.0 - (second ? 0.25 : 0.5)) / (second ? 0.125 : 0.5)))
        << i;
  }
}

TEST(Preprocessing, TakesTheAugmentersPixelsOfTheEpoch) {
  const ImageSet images = bright_halves(8, 3);
  const Augmenter changes = augmenter({true, 2, 3}, 5);
  const Preprocessor preprocessor(normalization);
  const int indices[] = {6, 1, 4};
  for (const int epoch : {0, 1}) {
    std::vector<float> out;
    preprocessor.gather(images, indices, out, {&changes, epoch});
    for (std::size_t i = 0; i < 3; ++i) {
      std::vector<std::uint8_t> pixels(64);
      changes.write(images, epoch, indices[i], pixels);
      for (std::size_t p = 0; p < 64; ++p)
        EXPECT_NEAR(out[64 * i + p], (pixels[p] / 255.0 - 0.4) / 0.25, 1e-6);
    }
  }
}

TEST(Preprocessing, ChangesImagesAnewInEveryEpochAndAlikeForASeed) {
  const ImageSet images = bright_halves(32, 3);
  const Preprocessor preprocessor(normalization);
  std::vector<int> all(32);
  for (int i = 0; i < 32; ++i)
    all[std::size_t(i)] = i;
  const auto epoch = [&](const Augmenter& changes, int number) {
    std::vector<float> out;
    preprocessor.gather(images, all, out, {&changes, number});
    return out;
  };
  const Augmenter changes = augmenter({.shift = 2}, 5);
  const Augmenter again = augmenter({.shift = 2}, 5);
  const Augmenter other = augmenter({.shift = 2}, 6);
  std::vector<float> plain;
  preprocessor.gather(images, all, plain);
  EXPECT_NE(epoch(changes, 0), plain);
  EXPECT_NE(epoch(changes, 0), epoch(changes, 1));
  EXPECT_EQ(epoch(changes, 1), epoch(again, 1));
  EXPECT_NE(epoch(changes, 1), epoch(other, 1));

  std::vector<float> sliced;
  preprocessor.slice(images, 0, 32, sliced);
  EXPECT_EQ(sliced, plain);  // evaluation sees the images as they are
}

}  // namespace
}  // namespace assay
