// Encodings from the Cortex-M7 technical reference manual (Arm 100165, section 3.3).
#include "boards/virtual/core_registers.hpp"

namespace assay::virtual_board {
namespace {

// Offsets from 0xE0000000.
constexpr std::uint32_t clidr = 0xED78, ctr = 0xED7C, ccsidr = 0xED80, csselr = 0xED84,
                        mpu_type = 0xED90, mpu_end = 0xEDBC, maintenance_begin = 0xEF50,
                        maintenance_end = 0xEF7C, control_begin = 0xEF90, control_end = 0xEFAC;
constexpr std::uint32_t data_cache_on = 1u << 16, instruction_cache_on = 1u << 17;

/// Lines of 32 bytes; write-through, write-back, read and write allocation.
std::uint32_t size_identification(Bytes size, std::uint32_t ways) {
  const auto sets = static_cast<std::uint32_t>(size.count() / 32 / ways);
  return 0xF0000000 | (sets - 1) << 13 | (ways - 1) << 3 | 1;
}

}  // namespace

CoreRegisters::CoreRegisters(const Part& part) : part_(part), present_(part.caches.has_value()) {}

bool CoreRegisters::holds(std::uint32_t offset) const {
  return present_ &&
         ((offset >= clidr && offset <= csselr) || (offset >= mpu_type && offset < mpu_end) ||
          (offset >= maintenance_begin && offset < maintenance_end) ||
          (offset >= control_begin && offset < control_end));
}

std::uint32_t CoreRegisters::read(std::uint32_t offset) {
  switch (offset) {
    case clidr:
      return 0x09000003;  // level 1: separate caches
    case ctr:
      return 0x8303C003;
    case ccsidr:
      return cache_selection_ & 1 ? size_identification(part_.caches->instruction, 2)
                                  : size_identification(part_.caches->data, 4);
    case csselr:
      return cache_selection_;
    case mpu_type:
      return 8u << 8;
    default:
      return offset < mpu_end || offset >= control_begin ? kept_.read(offset) : 0;
  }
}

void CoreRegisters::write(std::uint32_t offset, std::uint32_t value, std::uint32_t lanes) {
  if (offset == csselr)
    cache_selection_ = value & 1;
  else if ((offset > mpu_type && offset < mpu_end) || offset >= control_begin)
    kept_.write(offset, value, lanes);
}

void CoreRegisters::reset() {
  cache_selection_ = 0;
  kept_.reset();
}

std::uint32_t CoreRegisters::allowed_configuration(std::uint32_t value) const {
  return present_ ? value : value & ~(data_cache_on | instruction_cache_on);
}

}  // namespace assay::virtual_board
