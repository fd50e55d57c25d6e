// QEMU as an independent second emulator in the tests: boots a bare-metal ELF, collects what it
// prints, and counts the instructions executed between the markers of targets/port/port.hpp.
// Figures are instructions, never cycles. Thread-safe: each call has its own process and files.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/result.hpp"

namespace assay::test {

/// Where the program's standard console is: the machine's first UART, or semihosting calls.
enum class QemuConsole { serial, semihosting };

/// What to boot and when to stop.
struct QemuSpec {
  /// "netduinoplus2" (STM32F405), "mps2-an386" (M4F), "mps2-an500" (M7), "mps2-an385" (M3, which
  /// also runs v6-M code), "microbit" (M0, 16 KB RAM), "mps2-an505" (M33).
  std::string machine;
  std::filesystem::path elf;
  QemuConsole console = QemuConsole::serial;
  std::string input;  ///< bytes for the console, written once at the start
  std::string until;  ///< stop as soon as the console has printed this; empty: run to the end
  std::chrono::milliseconds timeout{20000};
};

/// Instructions executed between one pair of markers; the classes add up to the total.
struct InstructionWindow {
  std::uint64_t total = 0;
  std::uint64_t alu = 0;
  std::uint64_t load = 0;
  std::uint64_t store = 0;
  std::uint64_t multiply = 0;  ///< with multiply-accumulate and divide
  std::uint64_t branch = 0;
  std::uint64_t other = 0;  ///< floating point, hints, system
};

/// What came out.
struct QemuRun {
  std::string console;  ///< all bytes printed, binary-clean
  std::string errors;   ///< QEMU's own messages
  std::vector<InstructionWindow> windows;
  bool timed_out = false;
};

/// The command line of run_qemu with the console on standard input and output, for tests that hold
/// a conversation through ChildProcess; windows are appended to `counts_file`, see read_windows.
std::vector<std::string> qemu_command(const QemuSpec& spec,
                                      const std::filesystem::path& counts_file);

/// Windows the plugin has written so far. Errors: bad_input when the file is malformed.
Result<std::vector<InstructionWindow>> read_windows(const std::filesystem::path& counts_file);

/// Boots `spec.elf` and waits for it to end, to print `until`, or for the timeout (an outcome, not
/// an error). Errors: infrastructure when QEMU cannot be started.
Result<QemuRun> run_qemu(const QemuSpec& spec);

}  // namespace assay::test
