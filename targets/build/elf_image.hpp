// What a linked ELF says about itself: section sizes, the bytes programmed into flash, the build
// id. Read with libelf. Thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "harness/core/result.hpp"
#include "harness/core/units.hpp"

namespace assay {

struct ElfImage {
  std::map<std::string, Bytes> sections;  ///< allocated sections by name
  Bytes programmed;                       ///< sum of the file bytes of all loaded segments
  std::string build_id;                   ///< lower-case hex of the GNU build-id note
};

/// Errors: bad_input when the file cannot be read, is not ELF, or carries no build-id note.
Result<ElfImage> read_elf(const std::filesystem::path& path);

}  // namespace assay
