// Builds a small bare-metal ELF for QEMU from sources of a test; see bare_metal/bare_metal.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/result.hpp"
#include "harness/core/units.hpp"

namespace assay::test {

struct BareMetalBuild {
  std::vector<std::filesystem::path> sources;  ///< define `void test_main()` among them
  std::vector<std::string> core_flags;         ///< {"-mcpu=cortex-m4", ...}
  std::string optimization = "-O2";
  Bytes flash{4 << 20};
  Bytes ram{4 << 20};
  std::uint32_t flash_base = 0;
  std::uint32_t ram_base = 0x20000000;
  std::filesystem::path elf;  ///< written
};

/// Compiles (one job a source, two at a time) and links. Errors: infrastructure when the cross
/// compiler is missing, failed_verdict with the compiler's words when it refuses.
Status build_bare_metal(const BareMetalBuild& build);

}  // namespace assay::test
