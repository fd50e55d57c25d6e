// Boards that run Linux, from the generated model to the measurement: programs of the cross
// compilers under QEMU's user-mode emulators, against the reference interpreter; and a program that
// travels through a shell, as it does over ssh.
#include "boards/station/linux_board.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>

#include "boards/link/session.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "targets/build/host_target.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/targets/build/test_network.hpp"
#include "tests/targets/graph/float_form.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

fs::path folder(const std::string& name) {
  return fs::path(::testing::TempDir()) / ("linux-board-" + name);
}

/// A program for a virtual board, and a request with what it must answer.
struct Rig {
  Board board;
  MeasureRequest request;

  explicit Rig(const std::string& part, int channels = 8)
      : Rig(part, test::small_network(channels)) {}
  Rig(const std::string& part, const IntegerGraph& graph) : board(test::virtual_board(part, part)) {
    const auto image = test::build_for(graph, board.type, folder(part));
    request = test::request_for(graph, image, 40);
  }

  Result<BoardMeasurement> measure() const {
    auto desk = Desk::open({board}, folder("locks"));
    EXPECT_TRUE(desk) << desk.error().message;
    return desk->measure(board, request, {});
  }
};

class LinuxBoard : public ::testing::TestWithParam<const char*> {};

TEST_P(LinuxBoard, AnswersWithTheReferencesLogits) {
  for (const int channels : {8, 5}) {
    const auto found = Rig(GetParam(), channels).measure();
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->samples, 40u);
    EXPECT_EQ(found->identical_samples, 40u) << channels << " channels";
    EXPECT_EQ(found->hello.part, GetParam());
  }
}

TEST_P(LinuxBoard, AnswersInFloatBitForBit) {
  for (const test::FloatForm form : test::float_forms) {
    const auto found = Rig(GetParam(), test::in_float(test::small_network(), form)).measure();
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->identical_samples, 40u) << static_cast<int>(form);
    EXPECT_EQ(found->hello.output_element, Element::float32);
  }
}

TEST_P(LinuxBoard, AnswersInInt16BitForBit) {
  const auto found = Rig(GetParam(), test::in_int16(test::small_network())).measure();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->identical_samples, 40u);
  EXPECT_EQ(found->hello.output_element, Element::int16);
}

TEST_P(LinuxBoard, LeavesOutWhatAnEmulatorCannotTell) {
  const auto found = Rig(GetParam()).measure();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(found->timing.cycles);
  EXPECT_FALSE(found->timing.stack_high_water);
  EXPECT_THAT(found->emulator, HasSubstr("qemu-"));
  EXPECT_THAT(found->emulator, HasSubstr("version"));
}

TEST_P(LinuxBoard, CountsTheSameInstructionsEveryTime) {
  const Rig rig(GetParam());
  const auto found = rig.measure();
  const auto again = rig.measure();
  ASSERT_TRUE(found && again);
  ASSERT_TRUE(found->instructions);
  EXPECT_THAT(*found->instructions, ::testing::SizeIs(rig.request.inferences));
  EXPECT_THAT(*found->instructions, ::testing::Each(found->instructions->front()));
  EXPECT_EQ(found->instructions, again->instructions);
}

/// What the plugin counts, against a run() of so many instructions.
TEST_P(LinuxBoard, CountsExactly) {
  const auto count = [](int instructions) -> std::uint64_t {
    const Board board = test::virtual_board("b", GetParam());
    const IntegerGraph graph = test::small_network();
    FirmwareRequest build;
    build.board = board.type;
    build.model = test::generate_for(graph, board.type.part.core);
    const auto run = build.model.source.find("void run() {");
    build.model.source.replace(
        run, std::string::npos,
        fmt::format("void run() {{\n  asm volatile(\".rept {}\\n\\tnop\\n\\t.endr\");\n}}\n\n"
                    "}}  // namespace assay::model\n",
                    instructions));
    build.output_directory = folder("exact");
    const auto image = build_firmware(build);
    EXPECT_TRUE(image) << image.error().message;
    auto request = test::request_for(graph, *image, 1);
    request.model_hash = sha256_hex("small network");  // that generate_for() writes
    auto desk = Desk::open({board}, folder("locks"));
    const auto found = desk->measure(board, request, {});
    EXPECT_TRUE(found) << found.error().message;
    return found ? found->instructions->front().count() : 0;
  };
  EXPECT_EQ(count(1500) - count(300), 1200u);
}

TEST(LinuxBoard, NeonKernelsTakeFarFewerInstructions) {
  const Board board = test::virtual_board("b", "raspberry-pi-4");
  const IntegerGraph graph = test::small_network(32);
  const auto count = [&](const KernelChoice& choice) -> std::uint64_t {
    const auto image = test::build_for(graph, board.type, folder("choice"), choice);
    auto desk = Desk::open({board}, folder("locks"));
    const auto found = desk->measure(board, test::request_for(graph, image, 4), {});
    EXPECT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->identical_samples, 4u);
    return found ? found->instructions->front().count() : 0;
  };
  KernelChoice plain;
  plain.force_reference = true;
  const std::uint64_t neon = count({}), reference = count(plain);
  RecordProperty("neon", std::to_string(neon));
  RecordProperty("reference", std::to_string(reference));
  EXPECT_LT(5 * neon, reference);
}

INSTANTIATE_TEST_SUITE_P(All, LinuxBoard,
                         ::testing::Values("raspberry-pi-zero", "raspberry-pi-4", "jetson-nano"));

TEST(LinuxBoard, AWrongLogitIsAFinding) {
  Rig rig("raspberry-pi-4");
  rig.request.expected_logits[13] ^= 1;
  const auto found = rig.measure();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->identical_samples, 39u);
  ASSERT_TRUE(found->first_mismatch);
  EXPECT_EQ(found->first_mismatch->sample, 1u);
  EXPECT_EQ(found->first_mismatch->logit, 3u);
}

TEST(LinuxBoard, AnotherBuildIsRefused) {
  Rig rig("raspberry-pi-4");
  rig.request.build_id = std::string(40, '0');
  const auto found = rig.measure();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(found.error().message, HasSubstr("build"));
}

TEST(LinuxBoard, AProgramOfAnotherCoreIsNoAnswer) {
  Rig pi("raspberry-pi-4");
  const Rig zero("raspberry-pi-zero");
  pi.request.elf = zero.request.elf;
  const auto found = pi.measure();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(found.error().message, HasSubstr("raspberry-pi-4"));
}

TEST(LinuxBoard, SaysWhichPackageBringsTheEmulator) {
  const Rig rig("jetson-nano");
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const auto found = rig.measure();
  setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::infrastructure);
  EXPECT_EQ(found.error().message, "qemu-aarch64 is not installed: install the package qemu-user");
}

/// A board "over ssh": a shell on this machine, which gets a program of this machine.
class RemoteBoard : public ::testing::Test {
 protected:
  RemoteBoard()
      : graph_(test::small_network()), board_(test::virtual_board("pi", "raspberry-pi-4")) {
    const auto model = generate(graph_, nullptr, std::string(64, '7'));
    program_ = build_host_program(*model, folder("host"))->executable;
    board_.virtual_board = false;
    board_.command = {"sh", "-c"};
    fs::remove_all(folder("remote"));
    fs::create_directories(folder("remote"));
    setenv("TMPDIR", folder("remote").c_str(), 1);  // where mktemp puts the program
  }
  ~RemoteBoard() override { unsetenv("TMPDIR"); }

  IntegerGraph graph_;
  Board board_;
  fs::path program_;
};

TEST_F(RemoteBoard, TheProgramTravelsAndReportsItsMemory) {
  const auto link = start_linux_program(board_, program_, {});
  ASSERT_TRUE(link) << link.error().message;
  auto session = Session::open(**link, std::chrono::seconds(10));
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ(session->hello().part, "host");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder("remote")), {}), 1);
  const auto timing = session->measure(test::seeded_inputs(graph_, 1), 2);
  ASSERT_TRUE(timing) << timing.error().message;
  ASSERT_TRUE(timing->peak_resident);
  EXPECT_GT(timing->peak_resident->count(), 64u << 10);
  EXPECT_LT(timing->peak_resident->count(), 64u << 20);
}

/// A far side that says of itself what it likes, and runs everything else.
class Impostor : public RemoteBoard {
 protected:
  Result<LinuxIdentity> ask(const std::string& machine, const std::string& model,
                            const std::string& serial) {
    pretend(machine, model, serial);
    return identify_linux_board(board_);
  }
  void pretend(const std::string& machine, const std::string& model, const std::string& serial) {
    const auto script = folder("remote") / "far-side";
    EXPECT_TRUE(write_atomically(
        script, fmt::format("case \"$1\" in uname*) printf '{}\\n{}\\n{}\\n';; *) exec sh -c "
                            "\"$1\";; esac\n",
                            machine, model, serial)));
    board_.command = {"sh", script.string()};
  }
};

TEST_F(Impostor, IsTakenForWhatItSays) {
  const auto pi = ask("aarch64", "Raspberry Pi 4 Model B Rev 1.4", "10000000f00d");
  ASSERT_TRUE(pi) << pi.error().message;
  EXPECT_EQ(pi->model, "Raspberry Pi 4 Model B Rev 1.4");
  EXPECT_EQ(pi->serial, "10000000f00d");
  board_.unique_id = "10000000f00d";
  EXPECT_TRUE(ask("aarch64", "Raspberry Pi 4 Model B Rev 1.4", "10000000f00d"));
  board_.type = *find_board_type("jetson-nano");
  board_.unique_id.reset();
  EXPECT_TRUE(ask("aarch64", "NVIDIA Jetson Nano Developer Kit", ""));
  EXPECT_TRUE(ask("aarch64", "NVIDIA Jetson Nano 2GB Developer Kit", ""));
}

TEST_F(Impostor, IsRefusedWhereItIsAnother) {
  struct Case {
    const char* machine;
    const char* model;
    const char* serial;
    const char* words;
  };
  board_.unique_id = "10000000f00d";
  for (const Case& it :
       {Case{"aarch64", "Raspberry Pi 3 Model B Rev 1.2", "", "is a \"Raspberry Pi 3"},
        Case{"x86_64", "", "", "has no device tree and runs on x86_64"},
        Case{"aarch64", "", "", "has no device tree"},
        Case{"armv7l", "Raspberry Pi 4 Model B Rev 1.4", "", "runs on armv7l"},
        Case{"aarch64", "Raspberry Pi 4 Model B Rev 1.4", "10000000cafe",
             "serial number 10000000cafe instead of 10000000f00d"},
        Case{"aarch64", "Raspberry Pi 4 Model B Rev 1.4", "", "serial number (none)"}}) {
    const auto found = ask(it.machine, it.model, it.serial);
    ASSERT_FALSE(found) << it.words;
    EXPECT_EQ(found.error().kind, ErrorKind::infrastructure);
    EXPECT_THAT(found.error().message, HasSubstr(it.words));
  }
  board_.command = {"false"};
  EXPECT_THAT(identify_linux_board(board_).error().message, HasSubstr("does not say who it is"));
}

// As the device trees of Linux (bcm2835-rpi-*.dts, bcm283?-rpi-*.dts) and the firmware name them.
TEST_F(Impostor, OfAnotherGenerationIsRefused) {
  struct Case {
    const char* type;
    std::vector<const char*> own;
    std::vector<const char*> other;
  };
  const std::vector<Case> cases{
      {"raspberry-pi-1",
       {"Raspberry Pi Model B Rev 2", "Raspberry Pi Model B Plus Rev 1.2", "Raspberry Pi Model B+",
        "Raspberry Pi Model A Plus Rev 1.1", "Raspberry Pi Model A",
        "Raspberry Pi Compute Module Rev 1.0", "Raspberry Pi Compute Module IO board rev1"},
       {"Raspberry Pi 2 Model B Rev 1.1", "Raspberry Pi 3 Model B Plus Rev 1.3",
        "Raspberry Pi 3 Model A Plus Rev 1.0", "Raspberry Pi 4 Model B Rev 1.4",
        "Raspberry Pi Compute Module 3 Rev 1.0", "Raspberry Pi Compute Module 4 Rev 1.0",
        "Raspberry Pi Zero W Rev 1.1", "Raspberry Pi Zero 2 W Rev 1.0", ""}},
      {"raspberry-pi-zero",
       {"Raspberry Pi Zero", "Raspberry Pi Zero Rev 1.3", "Raspberry Pi Zero W Rev 1.1"},
       {"Raspberry Pi Zero 2 W Rev 1.0", "Raspberry Pi Zero 2 W", "Raspberry Pi Model B Rev 2",
        "Raspberry Pi 2 Model B Rev 1.1", ""}}};
  for (const Case& it : cases) {
    board_.type = *find_board_type(it.type);
    for (const char* model : it.own) {
      const auto found = ask("armv6l", model, "");
      EXPECT_TRUE(found) << it.type << ": " << found.error().message;
      EXPECT_FALSE(ask("aarch64", model, "")) << it.type << ": " << model;
    }
    for (const char* model : it.other)
      EXPECT_FALSE(ask("armv6l", model, "")) << it.type << ": " << model;
  }
  EXPECT_THAT(ask("aarch64", "Raspberry Pi 3 Model B Rev 1.2", "").error().message,
              HasSubstr("a Raspberry Pi Zero on armv6l was expected"));
}

// A shell on this machine, behind which an emulator might run the program.
TEST_F(RemoteBoard, ThisMachineIsNoBoard) {
  MeasureRequest request;
  request.elf = program_;
  auto desk = Desk::open({board_}, folder("locks"));
  ASSERT_TRUE(desk) << desk.error().message;
  const auto found = desk->measure(board_, request, {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(found.error().message, HasSubstr("a Raspberry Pi 4 Model B on aarch64 was expected"));
}

TEST_F(Impostor, WithADifferentPartIsRefused) {
  pretend("aarch64", "Raspberry Pi 4 Model B Rev 1.4", "");
  MeasureRequest request;
  request.elf = program_;
  auto desk = Desk::open({board_}, folder("locks"));
  ASSERT_TRUE(desk) << desk.error().message;
  const auto found = desk->measure(board_, request, {});
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("part host instead of raspberry-pi-4"));
}

TEST_F(RemoteBoard, SaysWhenTheCommandIsMissing) {
  board_.command = {"no-such-shell", "pi@raspberrypi"};
  const auto link = start_linux_program(board_, program_, {});
  ASSERT_FALSE(link);
  EXPECT_THAT(link.error().message, HasSubstr("no-such-shell is not installed"));
}

}  // namespace
}  // namespace assay
