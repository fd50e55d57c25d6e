// The session against the real firmware loop in simulated time, over good and bad links: what comes
// back is exactly right, and repair costs no more than the damage done.
#include "boards/link/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_board.hpp"
#include "tests/support/faulty_link.hpp"

namespace assay::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class SessionTest : public ::testing::Test {
 protected:
  LinkOptions options() {
    LinkOptions result;
    result.clock = &clock;
    return result;
  }
  Session open_on(Link& a_link) {
    auto session = Session::open(a_link, milliseconds(3000), options());
    if (!session) throw std::runtime_error(session.error().message);
    return std::move(*session);
  }
  /// Streams and checks that every sample's logits come once, in order, right.
  Status stream_and_check(Session& session, std::size_t count, std::uint32_t seed) {
    const auto samples = fake_samples(count, seed);
    std::size_t next = 0;
    Status status =
        session.stream(samples, [&](std::size_t i, std::span<const std::int8_t> logits) {
          ASSERT_EQ(i, next++);
          const auto expected = fake_logits(&samples[i * fake_input_size]);
          ASSERT_TRUE(std::equal(logits.begin(), logits.end(), expected.begin(), expected.end()));
        });
    if (status) {
      EXPECT_EQ(next, count);
    }
    return status;
  }
  std::string error_of(const auto& result) { return result ? "no error" : result.error().message; }

  FakeClock clock;
  FakeBoard board{clock};
  FakeLink link{board, clock};
};

TEST_F(SessionTest, HelloTellsWhoAnswers) {
  Session session = open_on(link);
  const Hello& hello = session.hello();
  EXPECT_EQ(hello.part, "stm32fake");
  EXPECT_EQ(hello.core_clock, Hertz(168'000'000));
  EXPECT_EQ(hello.unique_id, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0}));
  EXPECT_EQ(hello.build_id, std::vector<std::uint8_t>(20, 0xB1));
  EXPECT_EQ(hello.model_hash, "0001feff" + std::string(56, '0'));
  EXPECT_EQ(hello.input_size, fake_input_size);
  EXPECT_EQ(hello.output_size, fake_output_size);
}

TEST_F(SessionTest, StreamsWithoutLossOverAGoodLink) {
  Session session = open_on(link);
  ASSERT_TRUE(stream_and_check(session, 50, 1));
  EXPECT_EQ(session.counters().frames_sent, 50u);
  EXPECT_EQ(session.counters().retransmissions, 0u);
  EXPECT_EQ(session.counters().polls, 0u);
  EXPECT_EQ(board.inferences, 50u);
}

TEST_F(SessionTest, KeepsTheNextSampleWaitingOnTheBoardAndNeverMore) {
  Session session = open_on(link);
  ASSERT_TRUE(stream_and_check(session, 50, 2));
  EXPECT_EQ(board.overruns, 0u);
  EXPECT_GT(board.deepest_ring, fake_input_size) << "no sample was ever sent ahead";
  EXPECT_LE(board.deepest_ring, session.hello().window);
}

TEST_F(SessionTest, SendsOneSampleAtATimeWhereNoneMayWait) {
  board.ring_capacity = least_ring;
  Session session = open_on(link);
  ASSERT_TRUE(stream_and_check(session, 50, 2));
  EXPECT_EQ(board.overruns, 0u);
  EXPECT_LE(board.deepest_ring, least_ring);
  EXPECT_EQ(session.counters().frames_sent, 50u);
  EXPECT_EQ(session.counters().retransmissions, 0u);
}

TEST_F(SessionTest, PollsStayWithinTheReserveWhileABoardComputesForLong) {
  board.inference_time = milliseconds(9000);
  Session session = open_on(link);
  ASSERT_TRUE(stream_and_check(session, 4, 3));
  EXPECT_EQ(board.overruns, 0u);
  EXPECT_GT(session.counters().polls, 0u);
  EXPECT_LE(board.deepest_ring, board.ring_capacity);
  EXPECT_EQ(session.counters().retransmissions, 0u);
}

TEST_F(SessionTest, AnEmptyStreamIsDoneAtOnceAndAPartOfASampleIsRefused) {
  Session session = open_on(link);
  EXPECT_TRUE(session.stream({}, {}));
  const auto refused = session.stream(std::vector<std::int8_t>(fake_input_size + 1), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
}

TEST_F(SessionTest, IgnoresBootNoiseAndKeepsItOutOfTheCounters) {
  board.sent.push_back({clock.now(), std::byte{0}});
  for (char c : std::string("\r\nBoot v1 \0 starting\xff\r\n", 23))
    board.sent.push_back({clock.now(), std::byte(c)});
  Session session = open_on(link);
  ASSERT_TRUE(stream_and_check(session, 3, 4));
  EXPECT_EQ(session.counters().damaged_frames, 0u);
}

TEST_F(SessionTest, WaitsForABoardThatBootsSlowly) {
  board.time = clock.now() + milliseconds(1500);
  Session session = open_on(link);
  EXPECT_TRUE(stream_and_check(session, 3, 5));
}

TEST_F(SessionTest, TakesOverFromASessionThatWasAbandoned) {
  {
    Session session = open_on(link);
    std::stop_source source;
    LinkOptions interrupted = options();
    interrupted.stop = source.get_token();
    auto second = Session::open(link, milliseconds(3000), interrupted);
    ASSERT_TRUE(second);
    const auto samples = fake_samples(10, 6);
    const Status status = second->stream(
        samples, [&](std::size_t, std::span<const std::int8_t>) { source.request_stop(); });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::interrupted);
    EXPECT_THAT(status.error().message, HasSubstr("virtual:fake-a"));
  }
  Session session = open_on(link);  // answers to the old samples are still on their way
  EXPECT_TRUE(stream_and_check(session, 10, 7));
  EXPECT_EQ(session.counters().retransmissions, 0u);
}

TEST_F(SessionTest, MeasuresInQuietWindows) {
  Session session = open_on(link);
  const auto sample = fake_samples(1, 8);
  const auto timing = session.measure(sample, 5);
  ASSERT_TRUE(timing) << error_of(timing);
  const Cycles expected(board.cycles_of(sample.data()));
  ASSERT_TRUE(timing->cycles);
  EXPECT_EQ(*timing->cycles, std::vector<Cycles>(5, expected));
  EXPECT_EQ(timing->stack_high_water, Bytes(1234));
  EXPECT_EQ(timing->receive_overruns, 0u);
  EXPECT_EQ(board.quiet_windows, 5u);
  EXPECT_EQ(board.inferences, 6u) << "one to warm up";
  EXPECT_EQ(board.sent_in_quiet, 0u);
  EXPECT_FALSE(session.measure(sample, 0));
  EXPECT_FALSE(session.measure({}, 1));
}

TEST_F(SessionTest, SendsNothingIntoAQuietWindow) {
  board.inference_time = milliseconds(9000);  // polls would come in between
  Session session = open_on(link);
  ASSERT_TRUE(session.measure(fake_samples(1, 9), 3));
  EXPECT_EQ(board.overruns, 0u);
}

TEST_F(SessionTest, WhatABoardCannotTellIsAbsent) {
  board.has_cycles = false;
  board.stack = 0;
  Session session = open_on(link);
  const auto timing = session.measure(fake_samples(1, 9), 3);
  ASSERT_TRUE(timing) << error_of(timing);
  EXPECT_EQ(timing->inferences, 3u);
  EXPECT_FALSE(timing->cycles);
  EXPECT_FALSE(timing->stack_high_water);
  EXPECT_FALSE(timing->peak_resident);
}

TEST_F(SessionTest, HearsOfResidentMemoryBehindTheCycles) {
  board.resident_kib = 5000;
  Session session = open_on(link);
  const auto timing = session.measure(fake_samples(1, 9), 3);
  ASSERT_TRUE(timing) << error_of(timing);
  EXPECT_EQ(timing->peak_resident, Bytes(5'120'000));
  EXPECT_EQ(timing->cycles->size(), 3u);
}

TEST_F(SessionTest, EchoesBytesOfAnySize) {
  Session session = open_on(link);
  for (std::size_t size : {0u, 1u, 300u, 100'000u}) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i)
      bytes[i] = static_cast<std::uint8_t>(i * i);
    const auto echoed = session.echo(bytes);
    ASSERT_TRUE(echoed) << error_of(echoed);
    EXPECT_EQ(*echoed, bytes);
  }
  EXPECT_EQ(board.overruns, 0u);
}

TEST_F(SessionTest, SaysWhenNobodyAnswers) {
  board.dies_after = 0;
  const auto session = Session::open(link, milliseconds(3000), options());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::infrastructure);
  EXPECT_EQ(session.error().message,
            "no answer from virtual:fake-a within 3 s: check cable and power");
}

TEST_F(SessionTest, SaysWhenOnlyNoiseAnswers) {
  board.dies_after = 0;
  for (int i = 0; i < 100; ++i)
    board.sent.push_back({clock.now(), std::byte(i)});
  const auto session = Session::open(link, milliseconds(2500), options());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().message,
            "virtual:fake-a sent 100 bytes but no frame of ours within 2.5 s: check the baud rate "
            "and that the firmware is flashed");
}

TEST_F(SessionTest, SaysWhenABoardGoesSilent) {
  board.dies_after = 17;
  Session session = open_on(link);
  const Status status = stream_and_check(session, 50, 10);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::infrastructure);
  EXPECT_EQ(status.error().message,
            "virtual:fake-a stopped answering: nothing for 10 s after 17 of 50 samples; check "
            "cable and power");
  EXPECT_LE(session.counters().polls, wire::max_unanswered_polls);
}

TEST_F(SessionTest, SaysWhenABoardWasReset) {
  board.resets_after = 5;
  Session session = open_on(link);
  const Status status = stream_and_check(session, 50, 11);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::infrastructure);
  EXPECT_EQ(status.error().message,
            "virtual:fake-a was reset in the middle of the session: check its power");
}

TEST_F(SessionTest, GivesUpOnALineThatDamagesEverySample) {
  // Polls and answers pass, samples never do.
  struct DropsLongWrites : FakeLink {
    using FakeLink::FakeLink;
    Status write(std::span<const std::byte> data) override {
      return data.size() > 100 ? Status() : FakeLink::write(data);
    }
  } noisy{board, clock};
  Session session = open_on(noisy);
  const Status status = stream_and_check(session, 3, 12);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("lost sample 0 of 3 20 times"));
}

TEST_F(SessionTest, APreparedStopTokenEndsOpenAtOnce) {
  std::stop_source source;
  source.request_stop();
  LinkOptions stopped = options();
  stopped.stop = source.get_token();
  const auto session = Session::open(link, milliseconds(3000), stopped);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::interrupted);
}

// Faults ----------------------------------------------------------------------------------------

struct FaultCase {
  const char* name;
  FaultRates rates;
};

class FaultySessionTest : public SessionTest, public ::testing::WithParamInterface<FaultCase> {};

TEST_P(FaultySessionTest, ResultsAreRightAndRepairIsBounded) {
  for (std::uint32_t seed = 1; seed <= 15; ++seed) {
    SCOPED_TRACE(seed);
    board.reset();
    board.quiet_windows = 0;
    FaultyLink faulty(link, clock, GetParam().rates, seed);
    Session session = open_on(faulty);
    const std::size_t faults_before = faulty.faults();
    const std::uint32_t overruns_before = board.overruns;
    const Status streamed = stream_and_check(session, 120, seed);
    ASSERT_TRUE(streamed) << error_of(streamed);
    // A lost, damaged or repeated frame costs one retransmission. A repeated frame has no credit
    // and may cost another frame its place in the ring.
    const std::size_t faults = faulty.faults() - faults_before;
    const std::size_t crowded_out = board.overruns != overruns_before ? faults : 0;
    EXPECT_LE(session.counters().retransmissions, faults + crowded_out);

    const auto sample = fake_samples(1, seed);
    const Cycles expected(board.cycles_of(sample.data()));
    for (std::size_t i = 1; i <= 10; ++i) {
      const auto timing = session.measure(sample, 7);
      ASSERT_TRUE(timing) << error_of(timing);
      EXPECT_EQ(*timing->cycles, std::vector<Cycles>(7, expected));
      EXPECT_EQ(board.quiet_windows, 7 * i) << "measured again although the timing was kept";
    }
    std::vector<std::uint8_t> bytes(5000);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(i * seed);
    const auto echoed = session.echo(bytes);
    ASSERT_TRUE(echoed) << error_of(echoed);
    EXPECT_EQ(*echoed, bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, FaultySessionTest,
                         ::testing::Values(FaultCase{"drop_bytes", {.drop_byte = 1e-4}},
                                           FaultCase{"flip_bits", {.flip_bit = 1e-4}},
                                           FaultCase{"insert_bytes", {.insert_byte = 1e-4}},
                                           FaultCase{"lose_requests", {.drop_write = 0.1}},
                                           FaultCase{"repeat_requests", {.repeat_write = 0.1}},
                                           FaultCase{"lose_answers", {.drop_read = 0.1}},
                                           FaultCase{"repeat_answers", {.repeat_read = 0.1}},
                                           FaultCase{"late_answers", {.delay_read = 0.05}},
                                           FaultCase{"everything",
                                                     {.drop_byte = 5e-5,
                                                      .flip_bit = 5e-5,
                                                      .insert_byte = 5e-5,
                                                      .drop_write = 0.03,
                                                      .repeat_write = 0.03,
                                                      .drop_read = 0.03,
                                                      .repeat_read = 0.03,
                                                      .delay_read = 0.02}}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(SessionTest, LossWithoutRepetitionNeverOverrunsTheRing) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    board.reset();
    FaultyLink faulty(link, clock,
                      {.drop_byte = 1e-4, .drop_write = 0.05, .drop_read = 0.05, .delay_read = 0.1},
                      seed);
    Session session = open_on(faulty);
    const Status streamed = stream_and_check(session, 100, seed);
    ASSERT_TRUE(streamed) << error_of(streamed);
    ASSERT_EQ(board.overruns, 0u) << seed;
  }
}

// Scripted peers ----------------------------------------------------------------------------------

}  // namespace
}  // namespace assay::test
