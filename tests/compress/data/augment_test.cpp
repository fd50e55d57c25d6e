#include "compress/data/augment.hpp"

#include <numeric>
#include <thread>

#include "compress/data/counter_random.hpp"
#include "tests/compress/data/folders.hpp"

namespace assay::test {
namespace {

using Pixels = std::vector<std::uint8_t>;

DatasetInfo info_of_images(int channels, int side) {
  DatasetInfo info;
  info.name = "images";
  info.channels = channels;
  info.height = side;
  info.width = side;
  info.normalization = {std::vector<float>(std::size_t(channels), 0.5F),
                        std::vector<float>(std::size_t(channels), 0.25F)};
  return info;
}

/// Images whose pixels count from 1, so that 0 is only what moved in.
ImageSet counting_images(int count, int channels, int side) {
  ImageSet set{.count = 0, .channels = channels, .height = side, .width = side};
  Pixels pixels(set.image_size());
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{1});
  for (int i = 0; i < count; ++i)
    set.append(pixels, std::uint32_t(i));
  return set;
}

Pixels augmented(const Augmenter& augmenter, const ImageSet& set, int epoch, int index) {
  Pixels out(set.image_size());
  augmenter.write(set, epoch, index, out);
  return out;
}

Augmenter make(const AugmentSettings& settings, const ImageSet& set, std::uint64_t seed = 1) {
  auto augmenter = Augmenter::create(settings, info_of_images(set.channels, set.width), seed);
  EXPECT_TRUE(augmenter) << augmenter.error().message;
  return *augmenter;
}

TEST(Augmenter, LeavesImagesAloneWhenAllIsOff) {
  const ImageSet set = counting_images(50, 3, 4);
  const auto augmenter = make({}, set);
  for (int i = 0; i < set.count; ++i)
    EXPECT_EQ(augmented(augmenter, set, i, i), Pixels(set.image(i), set.image(i) + 48));
}

TEST(Augmenter, FlipsHalfOfTheImages) {
  const ImageSet set = counting_images(1, 1, 2);
  const auto augmenter = make({.flip = true}, set);
  int flipped = 0;
  for (int epoch = 0; epoch < 2000; ++epoch) {
    const auto out = augmented(augmenter, set, epoch, 0);
    ASSERT_TRUE(out == (Pixels{1, 2, 3, 4}) || out == (Pixels{2, 1, 4, 3}));
    flipped += out[0] == 2;
  }
  EXPECT_NEAR(flipped, 1000, 112);  // five deviations of a fair coin
}

/// The image of counting pixels after a move, worked out pixel by pixel.
Pixels moved(int side, int right, int down) {
  Pixels out;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const int from_x = x - right;
      const int from_y = y - down;
      const bool inside = from_x >= 0 && from_x < side && from_y >= 0 && from_y < side;
      out.push_back(inside ? std::uint8_t(1 + from_y * side + from_x) : std::uint8_t{0});
    }
  return out;
}

TEST(Augmenter, ShiftsEverywhereAlike) {
  const ImageSet set = counting_images(1, 1, 5);
  const auto augmenter = make({.shift = 1}, set);
  // By hand, once: one to the right and one down.
  EXPECT_EQ(moved(5, 1, 1), (Pixels{0, 0, 0, 0,  0,  0,  1,  2, 3,  4,  0,  6, 7,
                                    8, 9, 0, 11, 12, 13, 14, 0, 16, 17, 18, 19}));
  std::map<Pixels, int> counts;
  for (int epoch = 0; epoch < 9000; ++epoch)
    ++counts[augmented(augmenter, set, epoch, 0)];
  EXPECT_EQ(counts.size(), 9U);
  for (int right = -1; right <= 1; ++right)
    for (int down = -1; down <= 1; ++down)
      EXPECT_NEAR(counts[moved(5, right, down)], 1000, 150) << right << ", " << down;
}

TEST(Augmenter, ShiftsAFlippedImage) {
  const ImageSet set = counting_images(1, 1, 3);
  const auto augmenter = make({.flip = true, .shift = 1}, set);
  // Mirrored {3 2 1 / 6 5 4 / 9 8 7}, then one to the left: flipped first, moved second.
  const Pixels wanted{2, 1, 0, 5, 4, 0, 8, 7, 0};
  bool found = false;
  for (int epoch = 0; epoch < 500 && !found; ++epoch)
    found = augmented(augmenter, set, epoch, 0) == wanted;
  EXPECT_TRUE(found);
}

TEST(Augmenter, CutsASquareOfTheMeanOut) {
  ImageSet set{.count = 0, .channels = 2, .height = 5, .width = 5};
  set.append(Pixels(50, 200), 0);
  const auto augmenter = make({.cutout = 3}, set);
  std::map<int, int> sizes;  // of the square inside the image
  std::vector<int> hits(25, 0);
  for (int epoch = 0; epoch < 5000; ++epoch) {
    const auto out = augmented(augmenter, set, epoch, 0);
    EXPECT_TRUE(std::equal(out.begin(), out.begin() + 25, out.begin() + 25));
    ++sizes[int(std::count(out.begin(), out.begin() + 25, 128))];  // 0.5 * 255, rounded
    for (std::size_t i = 0; i < 25; ++i) {
      ASSERT_TRUE(out[i] == 200 || out[i] == 128);
      hits[i] += out[i] == 128;
    }
  }
  // Of 25 centres, 4 corners leave 2 x 2, 12 edges 2 x 3, 9 the whole square.
  EXPECT_EQ(sizes.size(), 3U);
  EXPECT_NEAR(sizes[4], 800, 130);
  EXPECT_NEAR(sizes[6], 2400, 180);
  EXPECT_NEAR(sizes[9], 1800, 175);
  EXPECT_NEAR(hits[0], 5000 * 4 / 25, 130);   // a corner pixel is under 4 of the 25 centres
  EXPECT_NEAR(hits[12], 5000 * 9 / 25, 175);  // the middle one under 9
}

TEST(Augmenter, DependsOnSeedEpochAndIndexAlone) {
  const ImageSet set = counting_images(64, 1, 8);
  const AugmentSettings settings{true, 2, 3};
  const auto one = make(settings, set, 7);
  const auto same = make(settings, set, 7);
  std::vector<Pixels> forward;
  for (int i = 0; i < set.count; ++i)
    forward.push_back(augmented(one, set, 3, i));
  // Backwards, and on two threads at once.
  std::vector<Pixels> threaded(64);
  {
    std::jthread upper([&] {
      for (int i = 63; i >= 32; --i)
        threaded[std::size_t(i)] = augmented(same, set, 3, i);
    });
    for (int i = 31; i >= 0; --i)
      threaded[std::size_t(i)] = augmented(same, set, 3, i);
  }
  EXPECT_EQ(threaded, forward);
  const auto differing = [&](const Augmenter& other, int epoch) {
    int count = 0;
    for (int i = 0; i < set.count; ++i)
      count += augmented(other, set, epoch, i) != forward[std::size_t(i)];
    return count;
  };
  EXPECT_GT(differing(make(settings, set, 8), 3), 55);
  EXPECT_GT(differing(one, 4), 55);
  EXPECT_NE(forward[0], forward[1]);
}

TEST(Augmenter, SettingsDoNotDisturbEachOther) {
  const ImageSet set = counting_images(100, 1, 8);
  const auto shift = make({.shift = 2}, set);
  const auto both = make({.shift = 2, .cutout = 1}, set);
  for (int i = 0; i < set.count; ++i) {
    const auto a = augmented(shift, set, 0, i);
    const auto b = augmented(both, set, 0, i);
    int differing = 0;
    for (std::size_t p = 0; p < a.size(); ++p)
      differing += a[p] != b[p];
    EXPECT_LE(differing, 1) << i;
  }
}

TEST(Augmenter, RefusesWhatWouldFalsifyTargets) {
  auto data = info_of_images(1, 8);
  data.task = DatasetInfo::Task::regression;
  const auto create = [&](const AugmentSettings& settings) {
    return Status(Augmenter::create(settings, data, 1).map([](auto) {}));
  };
  expect_refused(create({.flip = true}), {"images has targets that a flip would make wrong"});
  expect_refused(create({.shift = 1}), {"targets that a shift would make wrong", "only cutout"});
  EXPECT_TRUE(create({.cutout = 4}));
  EXPECT_TRUE(create({}));
}

TEST(Augmenter, RefusesWhatDoesNotFit) {
  const auto data = info_of_images(1, 8);
  EXPECT_TRUE(Augmenter::create({.shift = 7, .cutout = 8}, data, 1));
  expect_refused(Augmenter::create({.shift = 8}, data, 1).map([](auto) {}),
                 {"images are 8 x 8", "found 8 and 0"});
  expect_refused(Augmenter::create({.cutout = 9}, data, 1).map([](auto) {}), {"found 0 and 9"});
}

TEST(AugmentSettings, AreReadAsTheyAreWritten) {
  const AugmentSettings settings{true, 4, 8};
  JsonErrors errors("s");
  {
    const Json json = to_json(settings);
    JsonObject object(json, "", errors);
    EXPECT_EQ(to_json(read_augment_settings(object)), json);
  }
  EXPECT_TRUE(errors.status());
  const Json empty = Json::object();
  JsonObject object(empty, "", errors);
  EXPECT_FALSE(read_augment_settings(object).any());
}

TEST(AugmentSettings, AreRefusedWithTheField) {
  for (const auto& [text, words] :
       {std::pair{R"({"shift": -1})", "shift: expected 0 to 1024 pixels, found -1"},
        {R"({"cutout": 2000})", "cutout: expected 0 to 1024"},
        {R"({"flip": 1})", "flip: expected true or false"},
        {R"({"rotate": 1})", "rotate: unknown field"}}) {
    JsonErrors errors("s");
    const Json json = Json::parse(text);
    {
      JsonObject object(json, "", errors);
      read_augment_settings(object);
    }
    expect_refused(errors.status(), {words});
  }
}

/// scramble(golden), scramble(2 golden), ... are SplitMix64 from state 0; its first outputs are
/// published with the generator's reference code.
TEST(CounterRandom, IsSplitMix64) {
  EXPECT_EQ(scramble(0x9e3779b97f4a7c15U), 0xe220a8397b1dcdafU);
  EXPECT_EQ(scramble(2 * 0x9e3779b97f4a7c15U), 0x6e789e6aa1b965f4U);
  EXPECT_EQ(scramble(3 * 0x9e3779b97f4a7c15U), 0x06c45d188009454fU);
}

TEST(CounterRandom, KeepsItsParts) {
  EXPECT_NE(CounterRandom(1, 2, 3).next(), CounterRandom(2, 1, 3).next());
  EXPECT_NE(CounterRandom(1, 2, 3).next(), CounterRandom(1, 3, 2).next());
  CounterRandom random(1, 2, 3);
  for (int i = 0; i < 1000; ++i) {
    const int value = random.between(-3, 3);
    EXPECT_GE(value, -3);
    EXPECT_LE(value, 3);
  }
}

}  // namespace
}  // namespace assay::test
