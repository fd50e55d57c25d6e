// Flashing through OpenOCD: one process per job, always with the probe's serial number, always with
// verification, its complaints turned into named errors. Thread-safe; the caller keeps two jobs off
// one probe.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/part.hpp"
#include "harness/core/result.hpp"

namespace assay {

/// Which probe, and the chip behind it.
struct ProbeTarget {
  std::string serial;                     ///< exact; never "the first one found"
  std::optional<std::uint16_t> tcp_port;  ///< an ST-Link server on this machine; USB when absent
  std::string openocd_target;             ///< "target/stm32f4x.cfg"
};

/// What OpenOCD's complaint means, by its name in this table.
struct ProbeFault {
  std::string_view name;      ///< "wrong-serial"
  std::string_view fragment;  ///< of OpenOCD's output
  std::string_view sentence;  ///< what happened and what to do
};

/// The known faults, the more specific first.
const std::vector<ProbeFault>& probe_faults();
/// The first known fault in OpenOCD's output, or nullptr.
const ProbeFault* classify_probe_output(std::string_view output);

/// The argument vector for a list of OpenOCD commands after the adapter and target set-up.
std::vector<std::string> openocd_arguments(const ProbeTarget& target,
                                           const std::vector<std::string>& commands);

/// Programs an ELF, reads it back, resets the target and lets it run. Errors: infrastructure with
/// the fault's name and sentence; OpenOCD missing, silent past `deadline`, or failing for an
/// unknown reason (its last line is quoted); bad_input for a path OpenOCD cannot be given;
/// interrupted.
Status program_and_verify(const ProbeTarget& target, const std::filesystem::path& elf,
                          std::chrono::milliseconds deadline, std::stop_token stop);

/// Resets the target and lets it run. Errors: as above.
Status reset_target(const ProbeTarget& target, std::chrono::milliseconds deadline,
                    std::stop_token stop);

}  // namespace assay
