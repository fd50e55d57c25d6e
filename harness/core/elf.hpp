// What an ELF file says about itself: section sizes, the bytes programmed into flash, which build
// it is. Read with libelf. Thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "harness/core/result.hpp"
#include "harness/core/units.hpp"

namespace assay {

struct ElfImage {
  std::map<std::string, Bytes> sections;   ///< allocated sections by name
  std::map<std::string, Bytes> functions;  ///< sizes by symbol, as the linker names it
  Bytes programmed;                        ///< sum of the file bytes of all loaded segments
  std::string build_id;                    ///< lower-case hex of the GNU build-id note, or empty
};

/// Errors: bad_input when the file cannot be read or is not ELF.
Result<ElfImage> read_elf(const std::filesystem::path& path);

/// What a cache key says of a tool or library: its file name behind all links and its build id, or
/// its size when it has none; "absent" when there is no such file.
std::string build_identity(const std::filesystem::path& file);

/// The same for a program that is looked up in PATH.
std::string program_identity(std::string_view program);

}  // namespace assay
