// Boots real ELFs under QEMU: the F405's own firmware on netduinoplus2, the same runtime and kernel
// objects of the Cortex-M0 on microbit, and the runtime's darker corners.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "boards/link/pipe_link.hpp"
#include "boards/link/session.hpp"
#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/paths.hpp"
#include "targets/build/board_source.hpp"
#include "targets/build/firmware.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/support/qemu.hpp"
#include "tests/targets/build/device_program.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay {
namespace {

using namespace std::chrono_literals;

const std::filesystem::path device_sources() {
  return source_root() / "tests" / "targets" / "build" / "device";
}

std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  for (const auto byte : bytes)
    text += fmt::format("{:02x}", byte);
  return text;
}

class FirmwareBoot : public ::testing::Test {
 protected:
  std::unique_ptr<Link> boot(const std::string& machine, const std::filesystem::path& elf) {
    test::QemuSpec spec;
    spec.machine = machine;
    spec.elf = elf;
    ProcessSpec process;
    process.arguments = test::qemu_command(spec, counts_);
    auto link = PipeLink::start(process, machine);
    EXPECT_TRUE(link) << link.error().message;
    return link ? std::move(*link) : nullptr;
  }

  /// Streams inputs and compares every logit; then a quiet window of three inferences.
  Timing talk(Session& session, const IntegerGraph& graph, int samples) {
    const auto inputs = test::seeded_inputs(graph, samples);
    const auto size = static_cast<std::size_t>(graph.tensors[graph.input].size());
    std::size_t seen = 0;
    const auto streamed = session.stream(inputs, [&](std::size_t i, auto logits) {
      const auto expected = run_reference(graph, std::span(inputs).subspan(i * size, size));
      EXPECT_TRUE(std::ranges::equal(logits, expected)) << "sample " << i;
      ++seen;
    });
    EXPECT_TRUE(streamed) << streamed.error().message;
    EXPECT_EQ(seen, static_cast<std::size_t>(samples));
    auto timing = session.measure(std::span(inputs).first(size), 3);
    EXPECT_TRUE(timing) << timing.error().message;
    return timing ? *timing : Timing{};
  }

  /// The quiet window's counts; the link must be gone, so that QEMU has written them.
  void expect_equal_windows() {
    const auto windows = test::read_windows(counts_);
    ASSERT_TRUE(windows) << windows.error().message;
    ASSERT_EQ(windows->size(), 3u);
    EXPECT_GT(windows->at(0).total, 12u * 12 * 9);
    EXPECT_GT(windows->at(0).multiply, 0u);
    EXPECT_EQ(windows->at(0).total, windows->at(1).total);
    EXPECT_EQ(windows->at(0).total, windows->at(2).total);
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "boot");
  std::filesystem::path counts_ = scratch_.path() / "counts.jsonl";
};

TEST_F(FirmwareBoot, TheF405sOwnElfAnswersWithTheReferenceLogits) {
  const IntegerGraph graph = test::small_network();
  FirmwareRequest request;
  request.board = *find_board_type("stm32f405");
  request.model = test::generate_for(graph, request.board.part.core);
  request.output_directory = scratch_.path();
  const auto image = build_firmware(request);
  ASSERT_TRUE(image) << image.error().message;
  {
    const auto link = boot("netduinoplus2", image->elf);
    auto session = Session::open(*link, 20s);
    ASSERT_TRUE(session) << session.error().message;
    const Hello& hello = session->hello();
    EXPECT_EQ(hello.part, "stm32f405");
    EXPECT_EQ(hex(hello.build_id), image->build_id);
    EXPECT_EQ(hello.model_hash, sha256_hex("small network"));
    EXPECT_EQ(hello.input_size, 144u);
    EXPECT_EQ(hello.output_size, 10u);
    // QEMU's RCC reads zero and its system memory is not there: every wait ended at its bound, the
    // internal oscillator is reported, the id is absent.
    EXPECT_EQ(hello.core_clock, Hertz(16'000'000));
    EXPECT_TRUE(hello.unique_id.empty());

    const Timing timing = talk(*session, graph, 200);
    EXPECT_FALSE(timing.cycles) << "QEMU has no DWT";
    ASSERT_TRUE(timing.stack_high_water);
    EXPECT_GT(timing.stack_high_water->count(), 100u);
    EXPECT_LE(*timing.stack_high_water, request.stack_reserve);
    EXPECT_EQ(timing.receive_overruns, 0u);
  }
  expect_equal_windows();
}

class MicrobitBoot : public FirmwareBoot {
 protected:
  std::filesystem::path build(std::vector<std::filesystem::path> sources,
                              std::vector<std::string> defines) {
    sources.push_back(device_sources() / "microbit_board.cpp");
    const auto elf =
        test::build_device_program({test::microbit_part(), sources, defines, scratch_.path()});
    EXPECT_TRUE(elf) << elf.error().message;
    return elf.value_or(std::filesystem::path());
  }
};

TEST_F(MicrobitBoot, TheCortexM0ObjectsAnswerWithTheReferenceLogits) {
  const IntegerGraph graph = test::small_network(6);
  const auto model = test::generate_for(graph, *load_core("cortex-m0"));
  ASSERT_TRUE(write_atomically(scratch_.path() / "model.cpp", model.source));
  const auto elf = build(
      {scratch_.path() / "model.cpp", source_root() / "targets" / "wire" / "firmware_main.cpp"},
      {"-DASSAY_INPUT_SIZE=144", "-DASSAY_PART_NAME=\"microbit\""});
  {
    const auto link = boot("microbit", elf);
    auto session = Session::open(*link, 20s);
    ASSERT_TRUE(session) << session.error().message;
    EXPECT_EQ(session->hello().part, "microbit");
    EXPECT_TRUE(session->hello().unique_id.empty());
    const Timing timing = talk(*session, graph, 50);
    // QEMU's SysTick follows the host's clock and starts when its main loop gets round to it: that
    // there are figures is all that can be said of them.
    EXPECT_TRUE(timing.cycles);
    EXPECT_GT(timing.stack_high_water.value_or(Bytes(0)).count(), 100u);
  }
  expect_equal_windows();
}

TEST_F(MicrobitBoot, SysTickCountsOnBeyondItsTwentyFourBits) {
  const auto elf = build({device_sources() / "count_main.cpp"}, {});
  ProcessSpec process;
  // One instruction is 256 ns of virtual time: 2^24 ticks of 16 MHz pass in four million of them.
  process.arguments = {"qemu-system-arm",   "-M",      "microbit",  "-display", "none",
                       "-monitor",          "none",    "-serial",   "stdio",    "-icount",
                       "shift=8,sleep=off", "-kernel", elf.string()};
  auto link = PipeLink::start(process, "microbit");
  ASSERT_TRUE(link) << link.error().message;
  std::string text;
  std::array<std::byte, 64> buffer;
  for (const Deadline deadline(60s); !deadline.passed() && text.find('\n') == std::string::npos;) {
    const auto count = (*link)->read(buffer, 100ms);
    ASSERT_TRUE(count) << count.error().message;
    text.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
  EXPECT_EQ(text, "counts evenly\n");
}

/// What the firmware noted when it stopped, read through QEMU's monitor.
class FirmwareFault : public FirmwareBoot {
 protected:
  std::filesystem::path build(const std::string& define) {
    const BoardType board = *find_board_type("stm32f405");
    EXPECT_TRUE(write_atomically(scratch_.path() / "board.cpp", *board_source(board, board.clock)));
    const auto elf = test::build_device_program(
        {board.part,
         {device_sources() / "fault_main.cpp", scratch_.path() / "board.cpp"},
         {"-D" + define, "-Wno-infinite-recursion"},
         scratch_.path()});
    EXPECT_TRUE(elf) << elf.error().message;
    return elf.value_or(std::filesystem::path());
  }

  /// Exception, pc, lr, cfsr.
  std::array<std::uint32_t, 4> fault_of(const std::filesystem::path& elf) {
    const auto record = test::symbol_address(elf, "fault_record");
    ProcessSpec process;
    process.arguments = {"qemu-system-arm", "-M",   "netduinoplus2", "-display", "none",
                         "-serial",         "null", "-monitor",      "stdio",    "-kernel",
                         elf.string()};
    auto link = PipeLink::start(process, "monitor");
    EXPECT_TRUE(link);
    const std::string question = fmt::format("xp/4wx {:#x}\n", record);
    const std::string prefix = fmt::format("{:016x}: ", record);
    std::array<std::uint32_t, 4> words{};
    std::string text;
    std::array<std::byte, 4096> buffer;
    for (const Deadline deadline(20s); !deadline.passed() && words[0] == 0;) {
      EXPECT_TRUE((*link)->write(std::as_bytes(std::span(question))));
      const auto count = (*link)->read(buffer, 200ms);
      if (!count) break;
      text.append(reinterpret_cast<const char*>(buffer.data()), *count);
      const auto at = text.rfind(prefix);
      if (at == std::string::npos || text.find('\n', at) == std::string::npos) continue;
      std::sscanf(text.c_str() + at + prefix.size(), "%x %x %x %x", &words[0], &words[1], &words[2],
                  &words[3]);
    }
    return words;
  }
};

constexpr std::uint32_t hard_fault = 3;

TEST_F(FirmwareFault, NotesWhereAnUndefinedInstructionStands) {
  const auto elf = build("FAULT_UNDEFINED");
  const auto [exception, pc, lr, cfsr] = fault_of(elf);
  EXPECT_EQ(exception, hard_fault);
  EXPECT_EQ(pc, test::symbol_address(elf, "execute_undefined"));
  EXPECT_NE(lr, 0u);
  EXPECT_EQ(cfsr, 1u << 16) << "UNDEFINSTR";
}

TEST_F(FirmwareFault, SurvivesTheEndOfItsStack) {
  const auto [exception, pc, lr, cfsr] = fault_of(build("FAULT_STACK"));
  EXPECT_EQ(exception, hard_fault);
  EXPECT_EQ(pc, 0u) << "no frame could be stored";
  EXPECT_NE(cfsr & 0xFF00, 0u) << "a bus fault below RAM, not silent corruption";
}

}  // namespace
}  // namespace assay
