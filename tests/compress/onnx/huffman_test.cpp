#include "compress/onnx/huffman.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace assay::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using Counts = std::vector<std::uint64_t>;

/// The fewest bits of any code whose lengths keep to Kraft's inequality, by trying all of them.
std::uint64_t fewest_bits(const Counts& counts, std::size_t symbol, double room) {
  if (symbol == counts.size()) return 0;
  std::uint64_t best = std::numeric_limits<std::uint64_t>::max() / 2;
  for (std::uint64_t length = 1; length < counts.size() + 1; ++length) {
    const double share = std::ldexp(1.0, -static_cast<int>(length));
    if (share > room) continue;
    best = std::min(best, counts[symbol] * length + fewest_bits(counts, symbol + 1, room - share));
  }
  return best;
}

TEST(Huffman, LengthsWorkedOutByHand) {
  EXPECT_THAT(huffman_code_lengths(Counts{}), ElementsAre());
  EXPECT_THAT(huffman_code_lengths(Counts{0, 9, 0}), ElementsAre(0, 1, 0));
  EXPECT_THAT(huffman_code_lengths(Counts{9, 1}), ElementsAre(1, 1));
  EXPECT_THAT(huffman_code_lengths(Counts{5, 0, 2, 1}), ElementsAre(1, 0, 2, 2));
  // The six letters of the textbook example: Cormen et al., Introduction to Algorithms, 16.3.
  EXPECT_THAT(huffman_code_lengths(Counts{45, 13, 12, 16, 9, 5}), ElementsAre(1, 3, 3, 3, 4, 4));
  EXPECT_EQ(huffman_bits(Counts{45, 13, 12, 16, 9, 5}), 224u);
}

TEST(Huffman, FibonacciCountsGiveTheDeepestTree) {
  Counts counts{1, 1};
  while (counts.size() < 60)
    counts.push_back(counts.back() + counts[counts.size() - 2]);
  std::vector<int> expected{59};
  for (int length = 59; length > 0; --length)
    expected.push_back(length);
  EXPECT_THAT(huffman_code_lengths(counts), ElementsAreArray(expected));
}

TEST(Huffman, NoCodeIsShorter) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 60; ++trial) {
    Counts counts(2 + random() % 5);
    for (auto& count : counts)
      count = 1 + random() % 40;
    EXPECT_EQ(huffman_bits(counts), fewest_bits(counts, 0, 1)) << ::testing::PrintToString(counts);
  }
}

TEST(Huffman, LengthsFillTheCodeAndKeepToTheEntropy) {
  std::mt19937 random(2);
  for (const std::size_t symbols : {2u, 3u, 16u, 100u, 255u}) {
    Counts counts(symbols);
    double total = 0;
    for (auto& count : counts)
      total += static_cast<double>(count = 1 + (random() % 1000) * (random() % 1000));
    double kraft = 0;
    for (const int length : huffman_code_lengths(counts))
      kraft += std::ldexp(1.0, -length);
    EXPECT_EQ(kraft, 1);
    double entropy = 0;  // bits of the whole text, Shannon 1948
    for (const auto count : counts)
      entropy += static_cast<double>(count) * std::log2(total / static_cast<double>(count));
    const auto bits = static_cast<double>(huffman_bits(counts));
    EXPECT_GE(bits, entropy * (1 - 1e-12));
    EXPECT_LT(bits, entropy + total);
  }
}

TEST(Huffman, UniformCountsOfAPowerOfTwoReachTheEntropy) {
  for (const std::uint64_t symbols : {2u, 4u, 16u, 256u}) {
    const Counts counts(symbols, 37);
    EXPECT_EQ(static_cast<double>(huffman_bits(counts)),
              37.0 * static_cast<double>(symbols) * std::log2(static_cast<double>(symbols)));
  }
}

}  // namespace
}  // namespace assay::onnx
