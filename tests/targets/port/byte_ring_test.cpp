#include "targets/port/byte_ring.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

namespace assay::port {
namespace {

TEST(ByteRing, WithoutStorageDropsEverything) {
  ByteRing ring;
  std::uint8_t byte = 0;
  EXPECT_FALSE(ring.push(1));
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.pop(&byte, 1), 0u);
}

TEST(ByteRing, HoldsOneLessThanItsStorage) {
  std::vector<std::uint8_t> storage(5);
  ByteRing ring;
  ring.adopt(storage.data(), storage.size());
  for (std::uint8_t i = 0; i < 4; ++i)
    EXPECT_TRUE(ring.push(i));
  EXPECT_FALSE(ring.push(99));
  std::vector<std::uint8_t> out(10);
  ASSERT_EQ(ring.pop(out.data(), out.size()), 4u);
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[3], 3);
  EXPECT_TRUE(ring.empty());
}

class ByteRingSizes : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ByteRingSizes, BehavesLikeAQueue) {
  std::vector<std::uint8_t> storage(GetParam());
  ByteRing ring;
  ring.adopt(storage.data(), storage.size());
  std::deque<std::uint8_t> expected;
  std::mt19937 random(7);
  std::uint8_t next = 0;
  for (int step = 0; step < 20000; ++step) {
    if (random() % 2) {
      const bool room = expected.size() + 1 < storage.size();
      ASSERT_EQ(ring.push(next), room);
      if (room) expected.push_back(next);
      ++next;
    } else {
      std::vector<std::uint8_t> out(random() % 4);
      const std::size_t count = ring.pop(out.data(), out.size());
      ASSERT_LE(count, std::min(out.size(), expected.size()));
      ASSERT_EQ(count == 0, out.empty() || expected.empty());
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(out[i], expected.front());
        expected.pop_front();
      }
    }
    ASSERT_EQ(ring.empty(), expected.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ByteRingSizes, ::testing::Values(1, 2, 3, 8, 17, 1000));

}  // namespace
}  // namespace assay::port
