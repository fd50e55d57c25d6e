#include "tests/support/qemu.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/file.hpp"
#include "tests/support/bare_metal_build.hpp"

namespace assay::test {
namespace {

// Ten rounds of nine instructions of known classes, after one more.
constexpr const char* counted_program = R"(
#include "tests/support/bare_metal/bare_metal.hpp"
static std::uint32_t cell[2];
// Markers at every place of a page: QEMU describes the last instruction of one differently.
extern "C" void many_markers();
asm(".thumb_func\n many_markers:\n"
    ".rept 600\n mov r11, r11\n mov r12, r12\n .endr\n .inst.n 0xbf00\n"
    ".rept 600\n mov r11, r11\n mov r12, r12\n .endr\n bx lr\n");
void test_main() {
  asm volatile(
      ".syntax unified\n mov r4, %0\n movs r5, #10\n mov r11, r11\n movs r6, #3\n"
      "1: ldr r7, [r4]\n muls r7, r6, r7\n str r7, [r4]\n ldmia r4!, {r2, r3}\n subs r4, #8\n .inst.n 0xbf00\n"
      "adds r2, r2, r3\n subs r5, r5, #1\n bne 1b\n mov r12, r12\n"
      : : "r"(cell) : "r2", "r3", "r4", "r5", "r6", "r7", "cc", "memory");
  many_markers();
  bare_metal::print("done ");
  bare_metal::print(4096u);
}
)";

struct Machine {
  const char* name;
  std::vector<std::string> flags;
  Bytes flash;
  Bytes ram;
};

class QemuOn : public ::testing::TestWithParam<Machine> {
 protected:
  Result<QemuRun> build_and_run(const std::string& program, const std::string& until,
                                std::chrono::milliseconds timeout) {
    const auto stem = fmt::format("{}qemu_test_{}_{}", ::testing::TempDir(), GetParam().name,
                                  static_cast<int>(until.size()));
    ASSAY_CHECK(write_atomically(stem + ".cpp", program));
    BareMetalBuild build;
    build.sources = {stem + ".cpp"};
    build.core_flags = GetParam().flags;
    build.flash = GetParam().flash;
    build.ram = GetParam().ram;
    build.elf = stem + ".elf";
    ASSAY_CHECK(build_bare_metal(build));
    return run_qemu({GetParam().name, build.elf, QemuConsole::semihosting, "", until, timeout});
  }
};

TEST_P(QemuOn, CountsStrictlyBetweenTheMarkers) {
  const auto run = build_and_run(counted_program, "", std::chrono::seconds(20));
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->console, "done 4096");
  EXPECT_FALSE(run->timed_out);
  ASSERT_EQ(run->windows.size(), 1201u);
  const InstructionWindow& window = run->windows[0];
  EXPECT_EQ(window.total, 91u);
  EXPECT_EQ(window.alu, 31u);
  EXPECT_EQ(window.load, 20u);
  EXPECT_EQ(window.store, 10u);
  EXPECT_EQ(window.multiply, 10u);
  EXPECT_EQ(window.branch, 10u);
  EXPECT_EQ(window.other, 10u);
  for (std::size_t i = 1; i < run->windows.size(); ++i)
    EXPECT_EQ(run->windows[i].total, 0u);
}

TEST_P(QemuOn, StopsAtTheAwaitedTextAndAtTheDeadline) {
  const std::string endless = R"(
#include "tests/support/bare_metal/bare_metal.hpp"
void test_main() { bare_metal::print("hello"); for (;;) asm volatile(""); }
)";
  const auto awaited = build_and_run(endless, "ell", std::chrono::seconds(20));
  ASSERT_TRUE(awaited) << awaited.error().message;
  EXPECT_FALSE(awaited->timed_out);
  EXPECT_THAT(awaited->console, ::testing::HasSubstr("ell"));
  const auto late = build_and_run(endless, "", std::chrono::milliseconds(300));
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_TRUE(late->timed_out);
}

INSTANTIATE_TEST_SUITE_P(
    Machines, QemuOn,
    ::testing::Values(Machine{"mps2-an386", {"-mcpu=cortex-m4"}, Bytes{4 << 20}, Bytes{4 << 20}},
                      Machine{"mps2-an500", {"-mcpu=cortex-m7"}, Bytes{4 << 20}, Bytes{4 << 20}},
                      Machine{"microbit", {"-mcpu=cortex-m0"}, Bytes{256 << 10}, Bytes{16 << 10}}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::erase(name, '-');
      return name;
    });

TEST(Qemu, AMachineItDoesNotKnowIsReportedInItsOwnWords) {
  const auto run = run_qemu({"no-such-machine", "/nonexistent.elf", QemuConsole::serial, "", "",
                             std::chrono::seconds(5)});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_THAT(run->errors, ::testing::HasSubstr("unsupported machine type"));
  EXPECT_TRUE(run->windows.empty());
}

}  // namespace
}  // namespace assay::test
