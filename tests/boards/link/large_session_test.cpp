// Sessions whose samples are 96x96x3, with a ring that has room for one, and with one that has not.
#include <gtest/gtest.h>

#include "boards/link/session.hpp"
#include "tests/support/fake_board.hpp"
#include "tests/support/faulty_link.hpp"

namespace assay::test {
namespace {

class LargeSession : public ::testing::TestWithParam<std::size_t> {};

TEST_P(LargeSession, StreamsAndMeasuresOverABadLink) {
  FakeClock clock;
  FakeBoard board(clock);
  board.ring_capacity = GetParam();
  FakeLink good(board, clock);
  FaultyLink link(good, clock, {.flip_bit = 3e-6, .drop_write = 0.05, .drop_read = 0.05}, 1);
  LinkOptions options;
  options.clock = &clock;
  auto session = Session::open(link, std::chrono::seconds(3), options);
  ASSERT_TRUE(session) << session.error().message;
  ASSERT_EQ(session->hello().input_size, 96u * 96 * 3);

  const auto samples = fake_samples(40, 2);
  std::size_t right = 0;
  const Status streamed =
      session->stream(samples, [&](std::size_t i, std::span<const std::int8_t> logits) {
        const auto expected = fake_logits(&samples[i * fake_input_size]);
        right += std::equal(logits.begin(), logits.end(), expected.begin(), expected.end());
      });
  ASSERT_TRUE(streamed) << streamed.error().message;
  EXPECT_EQ(right, 40u);
  EXPECT_GT(session->counters().retransmissions, 0u);
  EXPECT_EQ(board.deepest_ring > fake_input_size, GetParam() == roomy_ring);
  EXPECT_EQ(board.overruns, 0u);
  const auto timing = session->measure(std::span(samples).first(fake_input_size), 3);
  ASSERT_TRUE(timing) << timing.error().message;
  EXPECT_EQ(timing->cycles->size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(Rings, LargeSession, ::testing::Values(roomy_ring, least_ring));

}  // namespace
}  // namespace assay::test
