// The codec against closed forms: the CRC's published check value, zlib, COBS by hand.
#include "targets/wire/frame.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <numeric>
#include <random>
#include <vector>

namespace assay::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Outcome = FrameReader::Outcome;

struct Received {
  std::uint8_t type;
  std::uint16_t sequence;
  Bytes payload;
  bool operator==(const Received&) const = default;
};

void append(void* context, const std::uint8_t* data, std::size_t size) {
  auto& bytes = *static_cast<Bytes*>(context);
  bytes.insert(bytes.end(), data, data + size);
}

Bytes encode(std::uint8_t type, std::uint16_t sequence, const Bytes& payload,
             std::size_t piece = SIZE_MAX) {
  Bytes out;
  FrameWriter writer(Sink{append, &out});
  writer.begin(static_cast<Type>(type), sequence);
  for (std::size_t at = 0; at < payload.size(); at += std::min(piece, payload.size() - at))
    writer.put(payload.data() + at, std::min(piece, payload.size() - at));
  writer.end();
  return out;
}

/// All good frames in a stream given in pieces, and the number of damaged ones.
struct Decoded {
  std::vector<Received> frames;
  std::size_t damaged = 0;
};

Decoded decode(const Bytes& stream, std::size_t capacity = 4096, std::size_t piece = SIZE_MAX) {
  Bytes buffer(capacity);
  FrameReader reader(buffer.data(), buffer.size());
  Decoded result;
  for (std::size_t at = 0; at < stream.size();) {
    at += reader.take(stream.data() + at, std::min(piece, stream.size() - at));
    if (reader.outcome() == Outcome::frame) {
      const Frame& frame = reader.frame();
      result.frames.push_back({static_cast<std::uint8_t>(frame.type), frame.sequence,
                               Bytes(frame.payload, frame.payload + frame.size)});
    }
    if (reader.outcome() == Outcome::damaged) ++result.damaged;
  }
  return result;
}

/// COBS as the paper states it, for whole messages: the oracle for the streaming writer.
Bytes cobs(const Bytes& data) {
  Bytes out;
  std::size_t at = 0;
  bool open = true;  // the last block ended at a zero, so another one must follow
  while (open || at < data.size()) {
    std::size_t run = 0;
    while (run < 254 && at + run < data.size() && data[at + run] != 0)
      ++run;
    out.push_back(static_cast<std::uint8_t>(run + 1));
    out.insert(out.end(), data.begin() + static_cast<std::ptrdiff_t>(at),
               data.begin() + static_cast<std::ptrdiff_t>(at + run));
    at += run;
    open = run < 254 && at < data.size();
    if (open) ++at;
  }
  return out;
}

Bytes content_of(std::uint8_t type, std::uint16_t sequence, const Bytes& payload) {
  Bytes content = payload;
  for (int head : {sequence >> 8, sequence & 0xFF, int{type}})
    content.insert(content.begin(), static_cast<std::uint8_t>(head));
  const auto crc =
      static_cast<std::uint32_t>(::crc32(0, content.data(), static_cast<uInt>(content.size())));
  for (int shift = 0; shift < 32; shift += 8)
    content.push_back(static_cast<std::uint8_t>(crc >> shift));
  return content;
}

TEST(Crc32, HasThePublishedCheckValue) {
  const char* check = "123456789";
  EXPECT_EQ(crc32(0, reinterpret_cast<const std::uint8_t*>(check), 9), 0xCBF43926u);
  EXPECT_EQ(crc32(0, nullptr, 0), 0u);
}

TEST(Crc32, AgreesWithZlibOnPieces) {
  std::mt19937 random(1);
  for (std::size_t size : {1u, 2u, 3u, 64u, 1000u}) {
    Bytes data(size);
    for (auto& byte : data)
      byte = static_cast<std::uint8_t>(random());
    const std::size_t half = size / 2;
    const auto piecewise = crc32(crc32(0, data.data(), half), data.data() + half, size - half);
    EXPECT_EQ(piecewise, ::crc32(0, data.data(), static_cast<uInt>(size))) << size;
  }
}

class FrameSizes : public ::testing::TestWithParam<std::size_t> {};

TEST_P(FrameSizes, RoundTripAndMatchTheOracle) {
  const std::size_t size = GetParam();
  Bytes counting(size);
  std::iota(counting.begin(), counting.end(), std::uint8_t{1});
  const std::vector<std::pair<const char*, Bytes>> payloads = {
      {"zeros", Bytes(size, 0)}, {"no zeros", Bytes(size, 0xA5)}, {"counting", counting}};
  for (const auto& [name, payload] : payloads) {
    // Sequence without zero bytes: only then do long runs start at the first byte.
    for (const std::uint16_t sequence : {std::uint16_t{0}, std::uint16_t{0x0102}}) {
      SCOPED_TRACE(name);
      const Bytes encoded = encode(0x41, sequence, payload, 7);
      Bytes expected = cobs(content_of(0x41, sequence, payload));
      expected.insert(expected.begin(), 0);
      expected.push_back(0);
      EXPECT_EQ(encoded, expected);
      EXPECT_LE(encoded.size(), encoded_bound(size));
      for (std::size_t piece : {std::size_t{1}, std::size_t{64}, SIZE_MAX}) {
        const Decoded decoded = decode(encoded, 4096, piece);
        EXPECT_EQ(decoded.frames, (std::vector<Received>{{0x41, sequence, payload}}));
        EXPECT_EQ(decoded.damaged, 0u);
      }
    }
  }
}

// Around the block length of COBS, counted in payload and in content (payload + 7).
INSTANTIATE_TEST_SUITE_P(Edges, FrameSizes,
                         ::testing::Values(0, 1, 2, 246, 247, 248, 249, 253, 254, 255, 256, 500,
                                           501, 502, 508, 509, 1000));

TEST(FrameWriter, NeverPutsADelimiterInside) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    Bytes payload(random() % 600);
    for (auto& byte : payload)
      byte = static_cast<std::uint8_t>(random() % 3);
    const Bytes encoded = encode(3, static_cast<std::uint16_t>(random()), payload);
    EXPECT_EQ(std::count(encoded.begin(), encoded.end(), 0), 2);
  }
}

TEST(FrameReader, TakesAFullLastBlockWithAndWithoutClosingCode) {
  // 247 payload bytes make 254 content bytes; pick a payload whose content has no zero.
  for (std::uint8_t fill = 1; fill != 0; ++fill) {
    const Bytes content = content_of(0x41, 0x0101, Bytes(247, fill));
    if (std::find(content.begin(), content.end(), 0) != content.end()) continue;
    Bytes encoded = cobs(content);
    ASSERT_EQ(encoded.size(), 255u);
    encoded.push_back(0);
    EXPECT_EQ(decode(encoded).frames.size(), 1u);
    encoded.insert(encoded.end() - 1, 1);
    EXPECT_EQ(decode(encoded).frames.size(), 1u);
    return;
  }
  FAIL() << "no such payload";
}

TEST(FrameReader, DropsWhatIsNoFrame) {
  const Bytes good = encode(5, 9, {1, 2, 3});
  Bytes cut = good;
  cut.erase(cut.end() - 2);
  Bytes flipped = good;
  flipped[3] ^= 0x10;
  const Bytes too_short = {0, 3, 1, 2, 0};
  const Bytes noise = {'B', 'o', 'o', 't', '\r', '\n'};
  const std::vector<std::pair<const char*, Bytes>> cases = {
      {"cut", cut}, {"flipped", flipped}, {"short", too_short}, {"noise", noise}};
  for (const auto& [name, bytes] : cases) {
    SCOPED_TRACE(name);
    Bytes stream = bytes;
    stream.insert(stream.end(), good.begin(), good.end());
    const Decoded decoded = decode(stream);
    EXPECT_EQ(decoded.frames, (std::vector<Received>{{5, 9, {1, 2, 3}}}));
    EXPECT_EQ(decoded.damaged, 1u);
  }
}

TEST(FrameReader, DropsFramesLongerThanItsBufferAndGoesOn) {
  Bytes stream = encode(5, 1, Bytes(100, 7));
  const Bytes fits = encode(5, 2, Bytes(99, 7));
  stream.insert(stream.end(), fits.begin(), fits.end());
  const Decoded decoded = decode(stream, 99 + frame_head + frame_tail);
  ASSERT_EQ(decoded.frames.size(), 1u);
  EXPECT_EQ(decoded.frames[0].sequence, 2);
  EXPECT_EQ(decoded.damaged, 1u);
}

/// Requests with an input as a reader with a place of its own for inputs of 100 bytes finds them.
TEST(FrameReader, PutsInputsWhereTheyAreRead) {
  Bytes payload(input_head + 100);
  std::iota(payload.begin(), payload.end(), std::uint8_t{200});
  const Bytes head(payload.begin(), payload.begin() + input_head);
  for (const Type type : {Type::sample, Type::measure})
    for (const std::size_t piece : {std::size_t{1}, std::size_t{64}, SIZE_MAX}) {
      Bytes buffer(20), input(100);
      FrameReader reader(buffer.data(), buffer.size(), {input.data(), input.size()});
      const Bytes stream = encode(static_cast<std::uint8_t>(type), 7, payload);
      Outcome outcome = Outcome::none;
      for (std::size_t at = 0; at < stream.size();) {
        at += reader.take(stream.data() + at, std::min(piece, stream.size() - at));
        if (reader.outcome() != Outcome::none) outcome = reader.outcome();
      }
      ASSERT_EQ(outcome, Outcome::frame);
      EXPECT_EQ(reader.frame().size, payload.size());
      EXPECT_EQ(Bytes(reader.frame().payload, reader.frame().payload + input_head), head);
      EXPECT_TRUE(std::equal(input.begin(), input.end(), payload.begin() + input_head));
    }
}

/// Whole frames of any length up to what buffer and place hold together, no longer ones.
TEST(FrameReader, TakesInputsOfTheWrongLengthWhole) {
  constexpr std::size_t place = 100, room = 20;
  for (std::size_t size = 0; size < 140; ++size) {
    SCOPED_TRACE(size);
    Bytes buffer(room), input(place);
    FrameReader reader(buffer.data(), buffer.size(), {input.data(), input.size()});
    const Bytes stream =
        encode(static_cast<std::uint8_t>(Type::sample), 7, Bytes(size, std::uint8_t(size)));
    reader.take(stream.data(), 1);
    reader.take(stream.data() + 1, stream.size() - 1);
    const bool fits = size + frame_head + frame_tail <= place + room;
    ASSERT_EQ(reader.outcome(), fits ? Outcome::frame : Outcome::damaged);
    if (fits) {
      EXPECT_EQ(reader.frame().size, size);
    }
  }
}

TEST(FrameReader, NoticesADamagedInput) {
  const Bytes good = encode(static_cast<std::uint8_t>(Type::sample), 7, Bytes(104, 5));
  for (std::size_t at = 1; at + 1 < good.size(); ++at) {
    Bytes buffer(20), input(100), stream = good;
    stream[at] ^= 0x40;
    FrameReader reader(buffer.data(), buffer.size(), {input.data(), input.size()});
    for (std::size_t from = 0; from < stream.size();) {
      from += reader.take(stream.data() + from, stream.size() - from);
      ASSERT_NE(reader.outcome(), Outcome::frame) << at;
    }
  }
}

TEST(FrameReader, IgnoresIdleDelimiters) {
  const Decoded decoded = decode(Bytes(100, 0));
  EXPECT_TRUE(decoded.frames.empty());
  EXPECT_EQ(decoded.damaged, 0u);
}

TEST(FrameReader, AcceptsNothingFromRandomBytes) {
  std::mt19937 random(3);
  Bytes stream(2'000'000);
  for (auto& byte : stream)
    byte = static_cast<std::uint8_t>(random() % 24 == 0 ? 0 : random());
  const Decoded decoded = decode(stream, 512, 61);
  EXPECT_TRUE(decoded.frames.empty());
  EXPECT_GT(decoded.damaged, 50'000u);
}

TEST(FrameReader, NeverAcceptsADamagedFrameAsAnother) {
  std::mt19937 random(4);
  for (int round = 0; round < 20'000; ++round) {
    Bytes payload(random() % 300);
    for (auto& byte : payload)
      byte = static_cast<std::uint8_t>(random() % 4 == 0 ? 0 : random());
    const Received sent{3, static_cast<std::uint16_t>(round), payload};
    Bytes stream = encode(sent.type, sent.sequence, payload);
    for (unsigned wrongs = 1 + random() % 4; wrongs > 0 && !stream.empty(); --wrongs) {
      const auto at = static_cast<std::ptrdiff_t>(random() % stream.size());
      if (random() % 3 == 0)
        stream.erase(stream.begin() + at);
      else if (random() % 2 == 0)
        stream.insert(stream.begin() + at, static_cast<std::uint8_t>(random()));
      else
        stream[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1u << random() % 8);
    }
    for (const Received& received : decode(stream).frames)
      ASSERT_EQ(received, sent);
  }
}

}  // namespace
}  // namespace assay::wire
