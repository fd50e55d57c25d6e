#include "boards/probe/openocd.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/core/process.hpp"

namespace assay {

const std::vector<ProbeFault>& probe_faults() {
  // Fragments are those of OpenOCD 0.12; the sentence completes "probe <serial>: ".
  static const std::vector<ProbeFault> faults{
      {"server-down", "cannot connect to stlink server",
       "the ST-Link server does not answer; is the virtual board still running?"},
      {"no-probe", "no ST-LINK detected", "no ST-Link is connected; plug the board's USB cable in"},
      {"no-probe", "open failed",
       "the probe cannot be opened; check the cable and its permissions"},
      {"wrong-serial", "serial mismatch",
       "no probe has this serial number; compare probe_serial in the inventory"},
      {"unpowered", "target voltage may be too low", "the target has no power; check its supply"},
      {"wrong-debug-port", "UNEXPECTED idcode",
       "another kind of chip answers; check the board's type in the inventory"},
      {"wrong-chip", "Cannot identify target as",
       "the chip is not the one its board type names; check the inventory"},
      {"write-protected", "device protected",
       "the flash is write-protected; clear its option bytes"},
      {"write-protected", "protected sectors",
       "the flash is write-protected; clear its option bytes"},
      {"verify", "checksum mismatch", "the flash does not hold what was written; it may be worn"},
      {"verify", "Verify Failed", "the flash does not hold what was written; it may be worn"},
      {"no-flash-bank", "no flash bank found for address",
       "part of the image lies outside the chip's flash"},
      {"flash", "failed erasing sectors", "the flash could not be erased"},
      {"flash", "error writing to flash", "the flash could not be written"},
      {"flash", "Programming Failed", "the flash could not be programmed"},
      {"missing-file", "couldn't open", "the image is not there"},
      {"wrong-chip", "auto_probe failed",
       "the chip is not the one its board type names; check the inventory"},
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

std::string last_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

Status judge(const ProbeTarget& target, const ProcessOutcome& outcome,
             std::chrono::milliseconds deadline) {
  if (outcome.cancelled) return fail(ErrorKind::interrupted, "interrupted");
  const auto complain = [&](std::string_view name, std::string_view sentence) {
    return fail(ErrorKind::infrastructure,
                fmt::format("probe {}: {} ({})", target.serial, sentence, name));
  };
  if (outcome.timed_out)
    return complain("time-out", fmt::format("OpenOCD did not finish within {} s; reset the probe",
                                            deadline.count() / 1000.0));
  // A missing flash bank is only a warning to OpenOCD, which then returns success.
  const auto* fault = classify_probe_output(outcome.errors);
  if (outcome.exit_code == 0 && (!fault || fault->name != "no-flash-bank")) return {};
  if (fault) return complain(fault->name, fault->sentence);
  return complain("unknown", fmt::format("OpenOCD failed: {}", last_line(outcome.errors)));
}

Status run_openocd(const ProbeTarget& target, const std::vector<std::string>& commands,
                   std::chrono::milliseconds deadline, std::stop_token stop) {
  ProcessSpec spec;
  spec.arguments = openocd_arguments(target, commands);
  spec.deadline = deadline;
  if (!find_program("openocd"))
    return fail(ErrorKind::infrastructure,
                "openocd is not installed: install the Debian package openocd");
  ASSAY_TRY(const auto outcome, run_process(spec, std::move(stop)));
  return judge(target, outcome, deadline);
}

/// Tcl reads the serial and the path; braces keep everything else literal.
bool safe_in_braces(std::string_view text) {
  return text.find_first_of("{}\\\n") == std::string_view::npos;
}

}  // namespace

Status program_and_verify(const ProbeTarget& target, const std::filesystem::path& elf,
                          std::chrono::milliseconds deadline, std::stop_token stop) {
  for (const auto& text : {target.serial, elf.string()})
    if (!safe_in_braces(text))
      return fail(
          ErrorKind::bad_input,
          fmt::format("\"{}\" has a brace, backslash or line break, which OpenOCD cannot be "
                      "given; rename it",
                      text));
  return run_openocd(target, {fmt::format("program {{{}}} verify reset exit", elf.string())},
                     deadline, std::move(stop));
}

Status reset_target(const ProbeTarget& target, std::chrono::milliseconds deadline,
                    std::stop_token stop) {
  return run_openocd(target, {"init", "reset run", "shutdown"}, deadline, std::move(stop));
}

}  // namespace assay
