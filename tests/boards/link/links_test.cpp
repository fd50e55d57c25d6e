// The real links over real descriptors: ptys, libserialport over ptys (tests/support/
// pty_as_serial.cpp) and the pipes of a child process. Time is real here; nothing is asserted of
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <numeric>
#include <thread>

#include "boards/link/pipe_link.hpp"
#include "boards/link/pty_link.hpp"
#include "boards/link/serial_link.hpp"
#include "boards/link/session.hpp"
#include "boards/link/uart_link.hpp"
#include "tests/support/board_thread.hpp"
#include "tests/support/pty_pair.hpp"
#include "tests/support/tty_speed.hpp"

namespace assay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr Baud baud{115200};

std::vector<std::byte> every_byte_value(std::size_t times) {
  std::vector<std::byte> bytes(256 * times);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = std::byte(i % 256);
  return bytes;
}

std::vector<std::byte> read_exactly(Link& link, std::size_t count) {
  std::vector<std::byte> bytes(count);
  std::size_t used = 0;
  while (used < count) {
    const auto got = link.read(std::span(bytes).subspan(used), seconds(10));
    if (!got || *got == 0) break;
    used += *got;
  }
  bytes.resize(used);
  return bytes;
}

/// The far side of a pty, moved by plain system calls.
void write_fully(int fd, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd, data.data(), data.size());
    if (count <= 0) return;
    data = data.subspan(static_cast<std::size_t>(count));
  }
}
std::vector<std::byte> read_fully(int fd, std::size_t count) {
  std::vector<std::byte> bytes(count);
  std::size_t used = 0;
  while (used < count) {
    const ssize_t got = ::read(fd, bytes.data() + used, count - used);
    if (got <= 0) break;
    used += static_cast<std::size_t>(got);
  }
  bytes.resize(used);
  return bytes;
}

struct LinkKind {
  const char* name;
  Result<std::unique_ptr<Link>> (*open)(const std::string& path);
};

class TtyLinkTest : public ::testing::TestWithParam<LinkKind> {
 protected:
  std::unique_ptr<Link> open() {
    auto link = GetParam().open(pty.path());
    if (!link) throw std::runtime_error(link.error().message);
    return std::move(*link);
  }
  PtyPair pty;
};

TEST_P(TtyLinkTest, KeepsTheBootBannerThatWaitsBeforeItOpens) {
  const auto banner = every_byte_value(1);
  write_fully(pty.master(), banner);
  const auto link = open();
  EXPECT_EQ(read_exactly(*link, banner.size()), banner);
}

TEST_P(TtyLinkTest, PassesEveryByteValueBothWays) {
  const auto link = open();
  const auto bytes = every_byte_value(4);
  ASSERT_TRUE(link->write(bytes));
  EXPECT_EQ(read_fully(pty.master(), bytes.size()), bytes);
  write_fully(pty.master(), bytes);
  EXPECT_EQ(read_exactly(*link, bytes.size()), bytes);
}

TEST_P(TtyLinkTest, NothingComesIsNoError) {
  const auto link = open();
  std::vector<std::byte> buffer(16);
  const auto count = link->read(buffer, milliseconds(1));
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, 0u);
}

TEST_P(TtyLinkTest, TwoSidesThatBothWriteDoNotWaitForEachOther) {
  const auto link = open();
  const auto bytes = every_byte_value(400);  // far beyond the buffers of a pty
  std::vector<std::byte> arrived;
  std::thread far_side([&] {
    write_fully(pty.master(), bytes);
    arrived = read_fully(pty.master(), bytes.size());
  });
  EXPECT_TRUE(link->write(bytes));
  EXPECT_EQ(read_exactly(*link, bytes.size()), bytes);
  far_side.join();
  EXPECT_EQ(arrived, bytes);
}

TEST_P(TtyLinkTest, SaysWhenTheDeviceGoesAway) {
  const auto link = open();
  pty.unplug();
  std::vector<std::byte> buffer(16);
  const auto read = link->read(buffer, seconds(10));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(read.error().message, HasSubstr(link->name() + " went away"));
  const auto written = link->write(every_byte_value(1));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::infrastructure);
}

TEST_P(TtyLinkTest, SaysWhenTheDeviceTakesNoBytes) {
  const auto link = open();
  const auto written = link->write(every_byte_value(400));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::infrastructure);
  EXPECT_EQ(written.error().message, link->name() + " takes no more bytes: check cable and power");
}

TEST_P(TtyLinkTest, CarriesAWholeSession) {
  BoardThread board(pty.master());
  const auto link = open();
  auto session = Session::open(*link, seconds(30));
  ASSERT_TRUE(session) << session.error().message;
  const auto samples = fake_samples(40, 1);
  std::size_t right = 0;
  const Status streamed =
      session->stream(samples, [&](std::size_t i, std::span<const std::int8_t> logits) {
        const auto expected = fake_logits(&samples[i * fake_input_size]);
        right += std::equal(logits.begin(), logits.end(), expected.begin(), expected.end());
      });
  ASSERT_TRUE(streamed) << streamed.error().message;
  EXPECT_EQ(right, 40u);
  const auto timing = session->measure(std::span(samples).first(fake_input_size), 4);
  ASSERT_TRUE(timing) << timing.error().message;
  EXPECT_EQ(timing->cycles->size(), 4u);
  std::vector<std::uint8_t> bytes(100'000);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  const auto echoed = session->echo(bytes);
  ASSERT_TRUE(echoed) << echoed.error().message;
  EXPECT_EQ(*echoed, bytes);
}

TEST_P(TtyLinkTest, AStopFromAnotherThreadEndsTheWaiting) {
  const auto link = open();
  std::stop_source source;
  LinkOptions options;
  options.stop = source.get_token();
  std::thread user([&] { source.request_stop(); });
  const auto session = Session::open(*link, seconds(3600), options);
  user.join();
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::interrupted);
}

INSTANTIATE_TEST_SUITE_P(Kinds, TtyLinkTest,
                         ::testing::Values(LinkKind{"pty",
                                                    [](const std::string& path) {
                                                      return PtyLink::open(path, "virtual:fake-a");
                                                    }},
                                           LinkKind{"serial",
                                                    [](const std::string& path) {
                                                      return SerialLink::open(path, baud,
                                                                              "f405-lab");
                                                    }}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(SerialLink, SetsTheRateAndRawMode) {
  PtyPair pty;
  auto link = SerialLink::open(pty.path(), Baud(921600), "f405-lab");
  ASSERT_TRUE(link) << link.error().message;
  termios settings{};
  ASSERT_EQ(::tcgetattr(pty.master(), &settings), 0);
  EXPECT_EQ(tty_speed(pty.master()), 921600);
  EXPECT_EQ(settings.c_cflag & CSIZE, static_cast<tcflag_t>(CS8));
  EXPECT_EQ(settings.c_cflag & (PARENB | CSTOPB), 0u);
  EXPECT_EQ(settings.c_iflag & (IXON | IXOFF), 0u);
}

TEST(SerialLink, SaysWhatIsWrongWithAPath) {
  for (const char* path : {"/dev/ttyUSB_none", "no-device", "/dev/null"}) {
    const auto link = open_uart(path, baud, "f405-lab");
    ASSERT_FALSE(link) << path;
    EXPECT_EQ(link.error().kind, ErrorKind::infrastructure);
    EXPECT_THAT(link.error().message,
                HasSubstr(std::string("cannot open ") + path + " of f405-lab: "));
  }
}

TEST(OpenUart, ChoosesByWhatThePathLeadsTo) {
  PtyPair pty;
  const std::string by_id = ::testing::TempDir() + "/board-by-id-" + std::to_string(::getpid());
  std::filesystem::create_symlink(pty.path(), by_id);
  auto link = open_uart(by_id, baud, "virtual:a");
  std::filesystem::remove(by_id);
  ASSERT_TRUE(link) << link.error().message;
  EXPECT_NE(dynamic_cast<PtyLink*>(link->get()), nullptr);
}

TEST(PtyLink, SaysWhatIsWrongWithAPath) {
  const auto absent = PtyLink::open("/dev/pts/none", "virtual:a");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().message,
            "cannot open /dev/pts/none of virtual:a: No such file or directory");
  const auto no_tty = PtyLink::open("/dev/null", "virtual:a");
  ASSERT_FALSE(no_tty);
  EXPECT_THAT(no_tty.error().message, HasSubstr("/dev/null of virtual:a is no terminal"));
}

class PipeLinkTest : public ::testing::Test {
 protected:
  // As assay's own main does (harness/core/interrupt.hpp): writing to a dead child is an error
  // value.
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }
  ProcessSpec host_program() {
    ProcessSpec spec;
    spec.arguments = {HOST_PROGRAM};
    return spec;
  }
};

TEST_F(PipeLinkTest, CarriesASessionWithFramesLargerThanAPipe) {
  auto link = PipeLink::start(host_program(), "host");
  ASSERT_TRUE(link) << link.error().message;
  auto session = Session::open(**link, seconds(30));
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ(session->hello().part, "host");
  const std::size_t size = session->hello().input_size;
  std::vector<std::int8_t> samples(6 * size);
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = static_cast<std::int8_t>(i * 31);
  std::size_t right = 0;
  const Status streamed =
      session->stream(samples, [&](std::size_t i, std::span<const std::int8_t> logits) {
        bool same = logits.size() == size;
        for (std::size_t j = 0; j < logits.size(); ++j)
          same = same && logits[j] == static_cast<std::int8_t>(~samples[i * size + j]);
        right += same;
      });
  ASSERT_TRUE(streamed) << streamed.error().message;
  EXPECT_EQ(right, 6u);
  const auto timing = session->measure(std::span(samples).first(size), 2);
  ASSERT_TRUE(timing) << timing.error().message;
  EXPECT_FALSE(timing->cycles) << "a host program has no core cycles";
}

TEST_F(PipeLinkTest, SaysWhenTheProgramDies) {
  ProcessSpec spec;
  spec.arguments = {"true"};
  auto link = PipeLink::start(spec, "host");
  ASSERT_TRUE(link) << link.error().message;
  const auto session = Session::open(**link, seconds(30));
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(session.error().message, HasSubstr("host "));
}

TEST_F(PipeLinkTest, SaysWhenTheProgramIsMissing) {
  ProcessSpec spec;
  spec.arguments = {"/no/such/program"};
  const auto link = PipeLink::start(spec, "host");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().kind, ErrorKind::infrastructure);
}

}  // namespace
}  // namespace assay::test
