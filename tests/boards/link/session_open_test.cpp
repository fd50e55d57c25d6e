// What a session makes of answers to its hello that no firmware of ours gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "boards/link/session.hpp"
#include "targets/wire/frame.hpp"

namespace assay::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

/// Answers every hello with a given payload, its nonce put in place.
class ScriptedLink : public Link {
 public:
  explicit ScriptedLink(std::vector<std::uint8_t> answer) : answer_(std::move(answer)) {}
  Result<std::size_t> read(std::span<std::byte> buffer, milliseconds) override {
    const std::size_t count = std::min(buffer.size(), waiting_.size());
    std::copy_n(waiting_.begin(), count, buffer.begin());
    waiting_.clear();
    return count;
  }
  Status write(std::span<const std::byte> data) override {
    std::vector<std::uint8_t> buffer(64);
    wire::FrameReader reader(buffer.data(), buffer.size());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(data.data());
    reader.take(bytes, 1);
    reader.take(bytes + 1, data.size() - 1);
    if (answer_.size() >= 6) std::copy_n(reader.frame().payload + 2, 4, answer_.begin() + 2);
    wire::FrameWriter writer(
        wire::Sink{[](void* context, const std::uint8_t* out, std::size_t size) {
                     auto& waiting = *static_cast<std::vector<std::byte>*>(context);
                     for (std::size_t i = 0; i < size; ++i)
                       waiting.push_back(std::byte{out[i]});
                   },
                   &waiting_});
    writer.begin(wire::Type::hello_answer, reader.frame().sequence);
    writer.put(answer_.data(), answer_.size());
    writer.end();
    return {};
  }
  std::string name() const override { return "/dev/ttyACM0"; }

 private:
  std::vector<std::uint8_t> answer_;
  std::vector<std::byte> waiting_;
};

TEST(SessionOpen, NamesBothVersionsWhenTheyDiffer) {
  for (const std::vector<std::uint8_t>& answer :
       {std::vector<std::uint8_t>{3, 0}, std::vector<std::uint8_t>{3, 0, 1, 2, 3, 4, 5, 6}}) {
    ScriptedLink link(answer);
    const auto session = Session::open(link, milliseconds(3000));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().kind, ErrorKind::infrastructure);
    EXPECT_EQ(session.error().message,
              "/dev/ttyACM0 speaks wire format version 3, this program speaks version 2: rebuild "
              "and flash the firmware");
  }
}

TEST(SessionOpen, RefusesMalformedHellos) {
  // version, nonce, window 4000, clock, input 10, output 10, hash, no names, elements
  std::vector<std::uint8_t> good(59);
  const auto set = [](std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value) {
    wire::put_u32(&bytes[at], value);
  };
  wire::put_u16(&good[0], wire::version);
  set(good, 6, 4000);
  set(good, 10, 8'000'000);
  set(good, 14, 10);
  set(good, 18, 10);
  good[57] = 4;
  good[58] = 1;
  {
    ScriptedLink link(good);
    const auto session = Session::open(link, milliseconds(3000));
    ASSERT_TRUE(session) << session.error().message;
    EXPECT_EQ(session->hello().input_bytes(), 40u);
    EXPECT_EQ(session->hello().output_bytes(), 10u);
  }
  struct Case {
    const char* name;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<Case> cases = {{"too short", good},
                             {"too long", good},
                             {"no output", good},
                             {"huge output", good},
                             {"window below the longest echo", good},
                             {"long part name", good},
                             {"unknown element", good}};
  cases[0].bytes.pop_back();
  cases[1].bytes.push_back(0);
  set(cases[2].bytes, 18, 0);
  set(cases[3].bytes, 18, 0xFFFFFFFF);
  set(cases[4].bytes, 6, 266);
  cases[5].bytes[54] = 200;
  cases[6].bytes[58] = 3;
  for (const Case& bad : cases) {
    SCOPED_TRACE(bad.name);
    ScriptedLink link(bad.bytes);
    const auto session = Session::open(link, milliseconds(3000));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().message, "/dev/ttyACM0 sent a malformed hello: rebuild the firmware");
  }
}

}  // namespace
}  // namespace assay::test
