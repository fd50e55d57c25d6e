// Scores of outputs counted by hand.
#include "compress/data/score.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace assay {
namespace {

using ::testing::HasSubstr;

ImageSet with_labels(std::vector<std::uint16_t> labels) {
  ImageSet set;
  set.count = int(labels.size());
  set.labels = std::move(labels);
  return set;
}

TEST(Score, CountsRightAnswersByClass) {
  const ImageSet images = with_labels({0, 1, 2, 1, 0});
  Score score(images, {"cat", "dog", "eel"});
  ASSERT_TRUE(score.add(0, 2, std::vector<float>{3, 1, 2, /**/ 0, -1, -2}));
  ASSERT_TRUE(score.add(2, 3, std::vector<float>{-3, -2, -1, /**/ 0, 9, 8, /**/ 0, 1, 0}));
  EXPECT_DOUBLE_EQ(score.accuracy().value(), 3.0 / 5);
  EXPECT_FALSE(score.mean_error());
  EXPECT_EQ(score.json(),
            Json::parse(R"({"count": 5, "correct": 3, "accuracy_top1": 0.6, "per_class": [
                            {"class": "cat", "count": 2, "correct": 1},
                            {"class": "dog", "count": 2, "correct": 1},
                            {"class": "eel", "count": 1, "correct": 1}]})"));
}

TEST(Score, TakesTheFirstOfEqualOutputs) {
  const ImageSet images = with_labels({0, 1, 2, 1});
  Score score(images, {"a", "b", "c"});
  ASSERT_TRUE(
      score.add(0, 4, std::vector<float>{5, 5, 5, /**/ 5, 5, 5, /**/ 0, 7, 7, /**/ 0, 7, 7}));
  EXPECT_EQ(score.json()["per_class"], Json::parse(R"([{"class": "a", "count": 1, "correct": 1},
                            {"class": "b", "count": 2, "correct": 1},
                            {"class": "c", "count": 1, "correct": 0}])"));
}

TEST(Score, CountsAClassTheNetworkDoesNotKnowAsWrong) {
  const ImageSet images = with_labels({0, 7});
  Score score(images, {"a", "b"});
  ASSERT_TRUE(score.add(0, 2, std::vector<float>{1, 0, /**/ 1, 0}));
  EXPECT_DOUBLE_EQ(score.accuracy().value(), 0.5);
  EXPECT_EQ(score.json()["count"], 2);
}

TEST(Score, RefusesOutputsThatAreNoNumbers) {
  ImageSet regression;
  regression.count = 2;
  regression.targets = {1, 2};
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()})
    for (const ImageSet& images : {with_labels({0, 0}), regression}) {
      Score score(images);
      EXPECT_TRUE(score.add(0, 1, std::vector<float>{1}));
      const Status status = score.add(1, 1, std::vector<float>{bad});
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
      EXPECT_THAT(status.error().message, HasSubstr("image 1 are no finite numbers"));
    }
}

TEST(Score, MeansTheDistancesOfARegression) {
  ImageSet images;
  images.count = 3;
  images.targets = {1, 2, /**/ 0, 0, /**/ -1, -1};
  Score score(images);
  ASSERT_TRUE(score.add(0, 1, std::vector<float>{4, 6}));               // 3, 4: distance 5
  ASSERT_TRUE(score.add(1, 2, std::vector<float>{0, 0, /**/ -1, -2}));  // 0 and 1
  EXPECT_DOUBLE_EQ(score.mean_error().value(), 2);
  EXPECT_FALSE(score.accuracy());
  EXPECT_EQ(score.json(), Json::parse(R"({"count": 3, "error_mean": 2.0})"));
}

}  // namespace
}  // namespace assay
