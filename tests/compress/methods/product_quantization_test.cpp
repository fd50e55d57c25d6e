// Codebooks of small matrices against ones found by hand, and what must hold for random ones.
#include "compress/methods/product_quantization.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/compress/methods/read_settings.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Floats = std::vector<float>;

Floats random_matrix(std::size_t size, unsigned seed, bool coarse = false) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Floats matrix(size);
  for (float& weight : matrix)
    weight = coarse ? float(int(random() % 3) - 1) : normal(random);
  return matrix;
}

double error_of(const Floats& a, const Floats& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += std::pow(double(a[i]) - double(b[i]), 2);
  return sum;
}

TEST(ProductQuantization, IsExactForFewDifferentBlocks) {
  const Floats matrix{1, 2, 3, 4, 1, 2, 5, 6, 3, 4, 1, 2};
  for (const int centroids : {3, 4, 256}) {
    const auto codebook = product_quantize(matrix, 2, 6, {.block = 2, .centroids = centroids}, 1);
    ASSERT_TRUE(codebook) << codebook.error().message;
    EXPECT_EQ(codebook->reconstruction(2), matrix);
    EXPECT_THAT(codebook->codewords, SizeIs(3 * 2));
    EXPECT_THAT(codebook->assignment, SizeIs(6));
    EXPECT_EQ(codebook->squared_errors.back(), 0);
  }
}

// Two pairs far apart: whichever blocks it starts from, the means are (1, 0) and (21, 0).
TEST(ProductQuantization, FindsTwoPairs) {
  const Floats matrix{0, 0, 2, 0, 20, 0, 22, 0};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto codebook = product_quantize(matrix, 4, 2, {.block = 2, .centroids = 2}, seed);
    ASSERT_TRUE(codebook);
    EXPECT_THAT(codebook->reconstruction(2), ElementsAre(1, 0, 1, 0, 21, 0, 21, 0));
    EXPECT_EQ(codebook->squared_errors.back(), 4);
  }
}

TEST(ProductQuantization, OneCodewordIsTheMean) {
  const auto codebook =
      product_quantize(Floats{1, 10, 3, 20}, 1, 4, {.block = 2, .centroids = 1}, 1);
  ASSERT_TRUE(codebook);
  EXPECT_THAT(codebook->codewords, ElementsAre(2, 15));
  EXPECT_THAT(codebook->assignment, ElementsAre(0, 0));
}

TEST(ProductQuantization, NeverGetsWorse) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const bool coarse = seed % 2;
    const Floats matrix = random_matrix(64 * 32, seed, coarse);
    const ProductQuantization settings{.block = coarse ? 4 : 8, .centroids = 24};
    const auto codebook = product_quantize(matrix, 64, 32, settings, seed);
    ASSERT_TRUE(codebook);
    const auto& errors = codebook->squared_errors;
    ASSERT_LE(errors.size(), 20U);
    for (std::size_t i = 1; i < errors.size(); ++i)
      EXPECT_LE(errors[i], errors[i - 1] * (1 + 1e-12)) << seed;
    EXPECT_NEAR(errors.back(), error_of(matrix, codebook->reconstruction(settings.block)), 1e-3);
    EXPECT_LT(errors.back(), errors.front());
    std::vector<int> members(24, 0);
    for (const auto index : codebook->assignment)
      ++members.at(index);
    EXPECT_THAT(members, ::testing::Each(::testing::Gt(0)));
  }
}

TEST(ProductQuantization, MoreCodewordsFitBetterAndASeedDecides) {
  const Floats matrix = random_matrix(4096, 3);
  double before = error_of(matrix, Floats(4096, 0));
  for (const int centroids : {2, 8, 32, 128, 512}) {
    const auto codebook = product_quantize(matrix, 64, 64, {.centroids = centroids}, 1);
    ASSERT_TRUE(codebook);
    EXPECT_LT(codebook->squared_errors.back(), before);
    before = codebook->squared_errors.back();
  }
  const auto first = product_quantize(matrix, 64, 64, {.centroids = 16}, 1);
  const auto again = product_quantize(matrix, 64, 64, {.centroids = 16}, 1);
  const auto other = product_quantize(matrix, 64, 64, {.centroids = 16}, 2);
  EXPECT_EQ(first->codewords, again->codewords);
  EXPECT_EQ(first->assignment, again->assignment);
  EXPECT_NE(first->codewords, other->codewords);
}

// Means that move can leave a codeword without blocks, rarely: some of these starts lead there, and
// every one must end with all codewords in use.
TEST(ProductQuantization, RefillsAnEmptyCodeword) {
  int refilled = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    std::mt19937 random(seed);
    Floats matrix(14 * 2);
    for (float& weight : matrix) {
      const auto value = random() % 20;
      weight = float(value * value * value % 97);
    }
    const auto codebook =
        product_quantize(matrix, 14, 2, {.block = 2, .centroids = 6, .iterations = 50}, seed);
    ASSERT_TRUE(codebook);
    refilled += codebook->refilled;
    std::vector<int> members(6, 0);
    for (const auto index : codebook->assignment)
      ++members.at(index);
    EXPECT_THAT(members, ::testing::Each(::testing::Gt(0))) << seed;
    const auto& errors = codebook->squared_errors;
    EXPECT_TRUE(std::ranges::is_sorted(errors, std::greater{})) << seed;
  }
  EXPECT_GT(refilled, 0);
}

TEST(ProductQuantization, RefusesWhatIsNotWholeBlocks) {
  const auto message = [](const Floats& matrix, std::int64_t rows, std::int64_t cols,
                          ProductQuantization settings) {
    const auto codebook = product_quantize(matrix, rows, cols, settings, 1);
    EXPECT_FALSE(codebook);
    if (codebook) return std::string();
    EXPECT_EQ(codebook.error().kind, ErrorKind::bad_input);
    return codebook.error().message;
  };
  EXPECT_THAT(message({1, 2, 3}, 1, 3, {.block = 2}),
              HasSubstr("3 columns are not whole blocks of 2"));
  EXPECT_THAT(message({1, 2, 3}, 2, 2, {.block = 2}), HasSubstr("3 weights are not 2 rows of 2"));
  EXPECT_THAT(message({}, 0, 2, {.block = 2}), HasSubstr("0 weights are not 0 rows"));
  EXPECT_THAT(message({1, NAN}, 1, 2, {.block = 2}), HasSubstr("weight 1 is nan"));
  EXPECT_THAT(message({1, 2}, 1, 2, {.block = 0}), HasSubstr("must be at least 1, found 0, 256"));
}

TEST(ProductQuantization, WritesWhatItReads) {
  const char* text = R"({"block": 4, "centroids": 64, "iterations": 5})";
  EXPECT_EQ(to_json(test::read_settings(text, read_product_quantization)), Json::parse(text));
  EXPECT_EQ(to_json(test::read_settings("{}", read_product_quantization)),
            Json::parse(R"({"block": 8, "centroids": 256, "iterations": 20})"));
}

TEST(ProductQuantization, AnswersBadSettingsWithTheField) {
  const auto problem = [](const char* text) {
    return test::problem_of_settings(text, read_product_quantization);
  };
  EXPECT_THAT(problem(R"({"block": 0})"), HasSubstr("block: expected 1 to 1024, found 0"));
  EXPECT_THAT(problem(R"({"centroids": 0})"), HasSubstr("centroids: expected 1 to 65536"));
  EXPECT_THAT(problem(R"({"iterations": -1})"), HasSubstr("iterations: expected 1 to"));
}

}  // namespace
}  // namespace assay
