#include "boards/probe/openocd.hpp"

#include <fmt/format.h>

#include <sstream>

#include "harness/core/process.hpp"

namespace assay {

const std::vector<ProbeFault>& probe_faults() {
  // Fragments are those of OpenOCD 0.12; the sentence completes "probe <serial>: ". What causes
  // another complaint comes before it: bytes outside of the flash also fail verification, and a
  // failure to program follows from most others.
  static const std::vector<ProbeFault> faults{
      {"no-flash-bank", "no flash bank found for address",
       "part of the image lies outside the chip's flash"},
      {"server-down", "cannot connect to stlink server",
       "the ST-Link server does not answer; is the virtual board still running?"},
      {"wrong-serial", "serial mismatch",
       "no probe has this serial number; compare probe_serial in the inventory, and plug the "
       "board's USB cable in"},
      {"no-probe", "no ST-LINK detected", "no ST-Link is connected; plug the board's USB cable in"},
      {"no-permission", "LIBUSB_ERROR_ACCESS",
       "this user may not open the probe; add the user to the group plugdev and plug the probe in "
       "again"},
      {"no-probe", "Error: open failed",
       "no ST-Link with this serial number can be opened; plug the board's USB cable in and "
       "compare probe_serial in the inventory"},
      {"unpowered", "target voltage may be too low", "the target has no power; check its supply"},
      {"wrong-debug-port", "UNEXPECTED idcode",
       "another kind of chip answers; check the board's type in the inventory"},
      {"wrong-chip", "Cannot identify target as",
       "the chip is not the one its board type names; check the inventory"},
      {"wrong-chip", "auto_probe failed",
       "the chip is not the one its board type names; check the inventory"},
      {"write-protected", "device protected",
       "the flash is write-protected; clear its option bytes"},
      {"write-protected", "WRPERR detected",
       "the flash is write-protected; clear its option bytes"},
      {"write-protected", "protected sectors",
       "the flash is write-protected; clear its option bytes"},
      {"missing-file", "couldn't open", "the image is not there"},
      {"bad-image", "invalid ELF file", "the image is no ELF file with something to program"},
      {"worn-flash", "programming failed / flash not erased",
       "a part of the flash cannot be erased; it may be worn"},
      {"hung-core", "timeout waiting for algorithm",
       "the core does not run; switch the board off and on"},
      {"verify", "checksum mismatch", "the flash does not hold what was written; it may be worn"},
      {"verify", "Verify Failed", "the flash does not hold what was written; it may be worn"},
      {"flash", "failed erasing sectors", "the flash could not be erased"},
      {"flash", "error writing to flash", "the flash could not be written"},
      {"flash", "Programming Failed", "the flash could not be programmed"},
      {"unpowered", "init mode failed",
       "the target does not answer the probe; check its supply and the debug wiring"},
  };
  return faults;
}

const ProbeFault* classify_probe_output(std::string_view output) {
  for (const auto& fault : probe_faults())
    if (output.find(fault.fragment) != std::string_view::npos) return &fault;
  return nullptr;
}

std::vector<std::string> openocd_arguments(const ProbeTarget& target,
                                           const std::vector<std::string>& commands) {
  // Server ports are off: a busy one is only logged, and a client could then reach another
  // instance.
  std::vector<std::string> arguments{"openocd", "-c",
                                     "gdb_port disabled; tcl_port disabled; telnet_port disabled",
                                     "-f", "interface/stlink-dap.cfg"};
  const auto command = [&](std::string text) {
    arguments.emplace_back("-c");
    arguments.push_back(std::move(text));
  };
  if (target.tcp_port) command(fmt::format("st-link backend tcp {}", *target.tcp_port));
  command("transport select dapdirect_swd");
  command(fmt::format("adapter serial {{{}}}", target.serial));
  arguments.emplace_back("-f");
  arguments.push_back(target.openocd_target);
  for (const auto& text : commands)
    command(text);
  return arguments;
}

namespace {

/// The last line that complains, else the last line.
std::string last_words(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  bool complaint = false;
  for (std::string line; std::getline(lines, line);) {
    const bool complains = line.starts_with("Error: ");
    if (line.empty() || (complaint && !complains)) continue;
    complaint = complains;
    last = line;
  }
  return last;
}

Status judge(const ProbeTarget& target, const ProcessOutcome& outcome,
             std::chrono::milliseconds deadline) {
  if (outcome.cancelled)
    return fail(ErrorKind::interrupted,
                fmt::format("interrupted while OpenOCD drove probe {}", target.serial));
  const auto complain = [&](std::string_view name, std::string_view sentence) {
    return fail(ErrorKind::infrastructure,
                fmt::format("probe {}: {} ({})", target.serial, sentence, name));
  };
  if (outcome.timed_out)
    return complain("time-out",
                    fmt::format("OpenOCD did not finish within {:g} s; unplug the probe and plug "
                                "it in again",
                                std::chrono::duration<double>(deadline).count()));
  // A missing flash bank is only a warning to OpenOCD, which may then return success.
  const auto* fault = classify_probe_output(outcome.errors);
  if (outcome.exit_code == 0 && (!fault || fault->name != "no-flash-bank")) return {};
  if (fault) return complain(fault->name, fault->sentence);
  return complain("unknown", fmt::format("OpenOCD failed: {}", last_words(outcome.errors)));
}

/// Tcl reads the serial and the path; braces keep everything else literal.
Status check_braces(std::string_view text) {
  if (text.find_first_of("{}\\\n") == std::string_view::npos) return {};
  return fail(ErrorKind::bad_input,
              fmt::format("\"{}\" has a brace, backslash or line break, which OpenOCD cannot be "
                          "given; rename it",
                          text));
}

Status run_openocd(const ProbeTarget& target, const std::vector<std::string>& commands,
                   std::chrono::milliseconds deadline, std::stop_token stop) {
  ASSAY_CHECK(check_braces(target.serial));
  if (!find_program("openocd"))
    return fail(ErrorKind::infrastructure,
                "openocd is not installed: install the Debian package openocd");
  ProcessSpec spec;
  spec.arguments = openocd_arguments(target, commands);
  spec.deadline = deadline;
  ASSAY_TRY(const auto outcome, run_process(spec, std::move(stop)));
  return judge(target, outcome, deadline);
}

}  // namespace

Status program_and_verify(const ProbeTarget& target, const std::filesystem::path& elf,
                          std::chrono::milliseconds deadline, std::stop_token stop) {
  ASSAY_CHECK(check_braces(elf.native()));
  return run_openocd(target, {fmt::format("program {{{}}} verify reset exit", elf.string())},
                     deadline, std::move(stop));
}

Status reset_target(const ProbeTarget& target, std::chrono::milliseconds deadline,
                    std::stop_token stop) {
  return run_openocd(target, {"init", "reset run", "shutdown"}, deadline, std::move(stop));
}

}  // namespace assay
