// The device's loop alone: what it answers to each frame, right or malformed, without the host's
// session in between.
#include "targets/wire/firmware_loop.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/fake_board.hpp"

namespace assay::test {
namespace {

using wire::Type;

using Bytes = std::vector<std::uint8_t>;

struct Answer {
  Type type;
  std::uint16_t sequence;
  Bytes payload;
};

Bytes little_endian(std::uint32_t value, std::size_t bytes = 4) {
  Bytes out;
  for (std::size_t i = 0; i < bytes; ++i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return out;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class FirmwareLoopTest : public ::testing::Test {
 protected:
  Bytes encode(Type type, std::uint16_t sequence, const Bytes& payload) {
    Bytes bytes;
    wire::FrameWriter writer(
        wire::Sink{[](void* context, const std::uint8_t* data, std::size_t size) {
                     auto& out = *static_cast<Bytes*>(context);
                     out.insert(out.end(), data, data + size);
                   },
                   &bytes});
    writer.begin(type, sequence);
    writer.put(payload.data(), payload.size());
    writer.end();
    return bytes;
  }

  std::vector<Answer> answers_to(const Bytes& bytes) {
    board.arrive(std::as_bytes(std::span(bytes)));
    std::vector<std::byte> out;
    clock.advance_to(clock.now() + std::chrono::seconds(10));
    board.run_until(clock.now(), out);
    std::vector<Answer> answers;
    Bytes buffer(4096);
    wire::FrameReader reader(buffer.data(), buffer.size());
    const auto* data = reinterpret_cast<const std::uint8_t*>(out.data());
    for (std::size_t at = 0; at < out.size();) {
      at += reader.take(data + at, out.size() - at);
      EXPECT_NE(reader.outcome(), wire::FrameReader::Outcome::damaged);
      if (reader.outcome() != wire::FrameReader::Outcome::frame) continue;
      const wire::Frame& frame = reader.frame();
      answers.push_back(
          {frame.type, frame.sequence, Bytes(frame.payload, frame.payload + frame.size)});
    }
    return answers;
  }

  std::vector<Answer> ask(Type type, std::uint16_t sequence, const Bytes& payload) {
    return answers_to(encode(type, sequence, payload));
  }

  void say_hello() {
    ASSERT_EQ(ask(Type::hello, 1, little_endian(wire::version, 2) + little_endian(77)).size(), 1u);
  }

  void expect_error(const std::vector<Answer>& answers, std::uint16_t sequence,
                    wire::ErrorCode code, std::uint32_t detail) {
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].type, Type::error);
    EXPECT_EQ(answers[0].sequence, sequence);
    EXPECT_EQ(answers[0].payload, Bytes{static_cast<std::uint8_t>(code)} + little_endian(detail));
  }

  Bytes input_of(const std::vector<std::int8_t>& sample) {
    return Bytes(sample.begin(), sample.end());
  }

  FakeClock clock;
  FakeBoard board{clock};
};

TEST_F(FirmwareLoopTest, HelloLayoutIsTheSpecifiedOne) {
  const auto answers = ask(Type::hello, 0x1234, little_endian(2, 2) + little_endian(0xCAFE));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].type, Type::hello_answer);
  EXPECT_EQ(answers[0].sequence, 0x1234);
  const std::size_t payload = fake_input_size + 4;
  const std::size_t window = payload + 9 + (payload + 7 + 253) / 254;
  const Bytes part = {9, 's', 't', 'm', '3', '2', 'f', 'a', 'k', 'e'};
  Bytes model(32);
  model[1] = 0x01;
  model[2] = 0xFE;
  model[3] = 0xFF;
  const auto expected =
      little_endian(2, 2) + little_endian(0xCAFE) +
      little_endian(static_cast<std::uint32_t>(window)) + little_endian(168'000'000) +
      little_endian(static_cast<std::uint32_t>(fake_input_size)) + little_endian(10) + model +
      part + Bytes{12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0} + Bytes{20} + Bytes(20, 0xB1) +
      Bytes{1, 1};
  EXPECT_EQ(answers[0].payload, expected);
}

TEST_F(FirmwareLoopTest, AnswersAHelloOfAnotherVersionWithItsOwn) {
  const auto answers =
      ask(Type::hello, 2, little_endian(9, 2) + little_endian(5) + little_endian(0));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].type, Type::hello_answer);
  EXPECT_EQ(answers[0].payload[0], wire::version);
}

TEST_F(FirmwareLoopTest, RefusesWorkBeforeAHello) {
  for (Type type : {Type::sample, Type::measure, Type::echo})
    expect_error(ask(type, 7, {}), 7, wire::ErrorCode::no_session, 0);
}

TEST_F(FirmwareLoopTest, RefusesMalformedRequests) {
  say_hello();
  constexpr auto size = static_cast<std::uint32_t>(fake_input_size);
  expect_error(ask(Type::hello, 3, {1, 0}), 3, wire::ErrorCode::wrong_size, 6);
  expect_error(ask(Type::sample, 3, {}), 3, wire::ErrorCode::wrong_size, size + 4);
  expect_error(ask(Type::sample, 4, Bytes(size + 5)), 4, wire::ErrorCode::wrong_size, size + 4);
  expect_error(ask(Type::sample, 5, Bytes(100)), 5, wire::ErrorCode::wrong_size, size + 4);
  expect_error(ask(Type::measure, 6, Bytes(size + 5)), 6, wire::ErrorCode::wrong_size, size + 4);
  expect_error(ask(static_cast<Type>(0x33), 8, {}), 8, wire::ErrorCode::unknown_type, 0x33);
  EXPECT_EQ(board.inferences, 0u);
}

TEST_F(FirmwareLoopTest, IgnoresFramesOfItsOwnDirection) {
  say_hello();
  EXPECT_TRUE(ask(Type::error, 3, {1, 0, 0, 0, 0}).empty());
  EXPECT_TRUE(ask(Type::echo_answer, 4, {1, 2}).empty());
}

TEST_F(FirmwareLoopTest, AHalfFrameNeitherBlocksNorSpoilsTheNext) {
  say_hello();
  auto half = encode(Type::echo, 5, {1, 2, 3, 4, 5, 6, 7, 8});
  half.resize(9);
  EXPECT_TRUE(answers_to(half).empty());
  const auto answers = ask(Type::poll, 6, {});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].type, Type::state);
  EXPECT_EQ(answers[0].payload, little_endian(77) + little_endian(1) + little_endian(0));
}

TEST_F(FirmwareLoopTest, ARepeatedMeasureIsAnsweredFromMemory) {
  say_hello();
  const auto sample = fake_samples(1, 5);
  const std::uint32_t cycles = board.cycles_of(sample.data());
  EXPECT_EQ(ask(Type::sample, 9, little_endian(0) + input_of(sample)).size(), 1u);  // warms up
  const auto request = little_endian(900) + input_of(sample);
  const auto first = ask(Type::measure, 10, request);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].type, Type::measuring);
  EXPECT_EQ(first[1].type, Type::timing);
  EXPECT_EQ(board.quiet_windows, 1u);
  EXPECT_EQ(board.inferences, 2u);
  EXPECT_EQ(first[0].payload, little_endian(900) + little_endian(cycles));
  EXPECT_EQ(first[1].payload, little_endian(900) + Bytes{3} + little_endian(1234) +
                                  little_endian(0) + little_endian(cycles));

  const auto again = ask(Type::measure, 11, request);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].sequence, 11);
  EXPECT_EQ(again[0].payload, first[1].payload);
  EXPECT_EQ(board.quiet_windows, 1u);

  say_hello();  // a new session measures anew
  EXPECT_EQ(ask(Type::measure, 12, request).size(), 2u);
  EXPECT_EQ(board.quiet_windows, 2u);
}

TEST_F(FirmwareLoopTest, WhatItCannotTellIsAbsent) {
  board.has_cycles = false;
  board.stack = 0;
  say_hello();
  const auto answers = ask(Type::measure, 10, little_endian(1) + input_of(fake_samples(1, 5)));
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].payload, little_endian(1) + Bytes{0} + little_endian(0) + little_endian(0));
}

TEST_F(FirmwareLoopTest, ResidentMemoryFollowsUnderAnOperatingSystem) {
  board.has_cycles = false;
  board.stack = 0;
  board.resident_kib = 5000;
  say_hello();
  const auto answers = ask(Type::measure, 10, little_endian(1) + input_of(fake_samples(1, 5)));
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].payload, little_endian(1) + Bytes{4} + little_endian(0) + little_endian(0) +
                                    little_endian(5000));
}

TEST_F(FirmwareLoopTest, SurvivesRandomBytesAndStillAnswers) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    Bytes noise(random() % 700);
    for (auto& byte : noise)
      byte = static_cast<std::uint8_t>(random() % 16 == 0 ? 0 : random());
    EXPECT_TRUE(answers_to(noise).empty());
  }
  say_hello();
}

}  // namespace
}  // namespace assay::test
