// Cache set-up as the Armv7-M architecture manual has it (B2.2.7, B3.2.8 and B4.8).
#include "targets/port/caches.hpp"

#include "targets/port/registers.hpp"

namespace assay::port {
namespace {

constexpr std::uint32_t ccr = 0xE000ED14;
constexpr std::uint32_t ccsidr = 0xE000ED80;
constexpr std::uint32_t csselr = 0xE000ED84;
constexpr std::uint32_t iciallu = 0xE000EF50;  // invalidates all of the instruction cache
constexpr std::uint32_t dcisw = 0xE000EF60;    // invalidates one data line, by set and way
constexpr std::uint32_t data_cache_on = 1u << 16;
constexpr std::uint32_t instruction_cache_on = 1u << 17;
// Lines of 32 bytes, four ways in the data cache (Arm 100165, cache size identification).
constexpr std::uint32_t set_shift = 5;
constexpr std::uint32_t way_shift = 30;

void barrier() {
#if defined(__arm__)
  asm volatile("dsb\n isb" ::: "memory");
#endif
}

void enable_instruction_cache() {
  reg(iciallu) = 0;
  barrier();
  reg(ccr) = reg(ccr) | instruction_cache_on;
  barrier();
}

void enable_data_cache() {
  reg(csselr) = 0;  // level 1, data
  barrier();
  const std::uint32_t size = reg(ccsidr);
  const std::uint32_t last_set = (size >> 13) & 0x7FFF;
  const std::uint32_t last_way = (size >> 3) & 0x3FF;
  for (std::uint32_t set = 0; set <= last_set; ++set)
    for (std::uint32_t way = 0; way <= last_way; ++way)
      reg(dcisw) = (set << set_shift) | (way << way_shift);
  barrier();
  reg(ccr) = reg(ccr) | data_cache_on;
  barrier();
}

}  // namespace

void enable_caches() {
  if ((reg(ccr) & instruction_cache_on) == 0) enable_instruction_cache();
  if ((reg(ccr) & data_cache_on) == 0) enable_data_cache();
}

}  // namespace assay::port
