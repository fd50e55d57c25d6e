// Links a test's own program with the prebuilt runtime of a core and a part's linker script: what
// build_firmware does, for machines that are no part of ours and for programs that are no model.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/part.hpp"

namespace assay::test {

struct DeviceProgram {
  Part part;
  std::vector<std::filesystem::path> sources;  ///< an object is named after its source's stem
  std::vector<std::string> defines;
  std::filesystem::path directory;  ///< existing; program.elf is written there
};

/// Returns the ELF. Errors: failed_verdict with the compiler's words.
Result<std::filesystem::path> build_device_program(const DeviceProgram& program);

/// QEMU's microbit (nRF51822): a Cortex-M0 with flash at 0 and 16 KB RAM. Its board constants are
/// in device/microbit_board.cpp.
Part microbit_part();

/// QEMU's mps2-an500: a Cortex-M7 with memory for code at 0 and for data at 0x20000000. Its board
/// constants are in device/an500_board.cpp.
Part an500_part();

/// QEMU's mps2-an505: a Cortex-M33 with memory for code at 0x10000000 and for data at 0x38000000,
/// as its secure state sees them. Its board constants are in device/an505_board.cpp.
Part an505_part();

/// Address of a symbol in an ELF, which must be there.
std::uint32_t symbol_address(const std::filesystem::path& elf, const std::string& name);

}  // namespace assay::test
