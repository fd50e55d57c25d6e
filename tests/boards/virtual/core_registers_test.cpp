// Cache identification against the table of the Cortex-M7's manual (Arm 100165, CCSIDR encodings).
#include "boards/virtual/core_registers.hpp"

#include <gtest/gtest.h>

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t ccsidr = 0xED80, csselr = 0xED84, mpu_type = 0xED90, mpu_rbar = 0xED9C,
                        dcisw = 0xEF60, all = 0xFFFFFFFF;

struct CacheCase {
  std::uint32_t kilobytes;
  std::uint32_t data, instruction;
};

TEST(CoreRegisters, DescribeTheCachesOfThePart) {
  Part part = *load_part("stm32f746");
  for (const CacheCase& c :
       {CacheCase{4, 0xF003E019, 0xF007E009}, CacheCase{8, 0xF007E019, 0xF00FE009},
        CacheCase{16, 0xF00FE019, 0xF01FE009}, CacheCase{32, 0xF01FE019, 0xF03FE009}}) {
    part.caches = Caches{Bytes(c.kilobytes * 1024), Bytes(c.kilobytes * 1024), ""};
    CoreRegisters registers(part);
    EXPECT_EQ(registers.read(ccsidr), c.data) << c.kilobytes;
    registers.write(csselr, 1, all);
    EXPECT_EQ(registers.read(ccsidr), c.instruction) << c.kilobytes;
    registers.reset();
    EXPECT_EQ(registers.read(ccsidr), c.data) << "level 1 data is selected after reset";
  }
}

TEST(CoreRegisters, KeepTheProtectionUnitAndForgetMaintenance) {
  const Part part = *load_part("stm32h743");
  CoreRegisters registers(part);
  EXPECT_EQ(registers.read(mpu_type), 8u << 8);
  registers.write(mpu_rbar, 0x24000010, all);
  EXPECT_EQ(registers.read(mpu_rbar), 0x24000010u);
  registers.write(dcisw, 0x20, all);
  EXPECT_EQ(registers.read(dcisw), 0u);
  EXPECT_EQ(registers.allowed_configuration(3u << 16 | 0x200), 3u << 16 | 0x200);
}

TEST(CoreRegisters, AreAbsentWithoutCaches) {
  const Part part = *load_part("stm32f405");
  const CoreRegisters registers(part);
  for (const std::uint32_t offset : {ccsidr, csselr, dcisw})
    EXPECT_FALSE(registers.holds(offset));
  EXPECT_EQ(registers.allowed_configuration(3u << 16 | 0x200), 0x200u);
}

}  // namespace
}  // namespace assay::virtual_board
