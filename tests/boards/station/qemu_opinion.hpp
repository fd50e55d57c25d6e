// What QEMU says of a firmware: the same ELF where it has the chip, else the same model code and
// the same prebuilt runtime linked for another machine with the chip's core.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "harness/core/part.hpp"
#include "harness/core/result.hpp"
#include "targets/build/generate.hpp"

namespace assay::test {

/// What one emulator says of one ELF.
struct QemuOpinion {
  std::vector<std::int8_t> logits;          ///< of all samples, one behind the other
  std::vector<std::uint64_t> instructions;  ///< of each timed inference
};

/// Streams `inputs` through the ELF on a machine of QEMU's and takes a quiet window. Errors: the
/// session's.
Result<QemuOpinion> qemu_opinion(const std::string& machine, const std::filesystem::path& elf,
                                 std::span<const std::int8_t> inputs, std::size_t inferences,
                                 const std::filesystem::path& folder);

/// A machine of QEMU's that stands for a part it has not.
struct QemuStandIn {
  const char* part;     ///< whose core, model code and runtime it runs
  const char* machine;  ///< QEMU's name
  Part (*machine_part)();
};

/// One for every core but the Cortex-M4, whose part QEMU has.
const std::vector<QemuStandIn>& qemu_stand_ins();

/// Links code generated for the part's core for the machine; writes into `folder`, an existing one.
Result<std::filesystem::path> build_for_stand_in(const QemuStandIn& stand_in,
                                                 const GeneratedModel& model,
                                                 const std::filesystem::path& folder);

}  // namespace assay::test
