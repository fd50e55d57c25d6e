// Hand-counted sequences against the published tables: Arm 100166 (Cortex-M4) and DDI 0432C
// (Cortex-M0), as the part data carries them.
#include "boards/virtual/cycle_model.hpp"

#include <gtest/gtest.h>

namespace assay::virtual_board {
namespace {

CycleCosts costs_of(const char* core) {
  const auto loaded = load_core(core);
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
  const auto costs = CycleCosts::from_core(*loaded);
  EXPECT_TRUE(costs) << (costs ? "" : costs.error().message);
  return *costs;
}

BlockCost cost_of(const char* core, std::initializer_list<std::uint32_t> opcodes) {
  std::vector<Instruction> code;
  for (std::uint32_t opcode : opcodes)
    code.push_back(opcode > 0xFFFF ? decode(static_cast<std::uint16_t>(opcode >> 16),
                                            static_cast<std::uint16_t>(opcode))
                                   : decode(static_cast<std::uint16_t>(opcode), 0));
  return block_cost(costs_of(core), code);
}

constexpr std::uint32_t adds = 0x1888, ldr_r0 = 0x6808, ldr_r2 = 0x684A, str_r0 = 0x6008,
                        bne = 0xD1FE, bl = 0xF7FFFFFE, push_4 = 0xB570, pop_pc = 0xBD10,
                        smlad = 0xFB213002, ldr_r1_r1 = 0x6809, ldr_r0_r1 = 0x6808;

TEST(CycleModel, CortexM4LoadsPipelineBehindEachOther) {
  EXPECT_EQ(cost_of("cortex-m4f", {ldr_r0}).until.back(), 2);
  EXPECT_EQ(cost_of("cortex-m4f", {ldr_r0, ldr_r2}).until.back(), 3);
  EXPECT_EQ(cost_of("cortex-m4f", {adds, smlad}).until.back(), 2);
}

TEST(CycleModel, CortexM4WaitsForAnAddressJustLoaded) {
  EXPECT_EQ(cost_of("cortex-m4f", {ldr_r1_r1, ldr_r0_r1}).until.back(), 2 + 1 + 2);
}

TEST(CycleModel, CortexM4LoadAfterStoreWaits) {
  EXPECT_EQ(cost_of("cortex-m4f", {str_r0, ldr_r2}).until.back(), 1 + 2 + 1);
}

TEST(CycleModel, CortexM4MultipleTransfersAndCalls) {
  EXPECT_EQ(cost_of("cortex-m4f", {push_4}).until.back(), 1 + 4);
  EXPECT_EQ(cost_of("cortex-m4f", {pop_pc}).until.back(), 1 + 2 + 2);
  EXPECT_EQ(cost_of("cortex-m4f", {bl}).until.back(), 3);
}

TEST(CycleModel, BranchesAreChargedOnTheEdge) {
  const BlockCost m4 = cost_of("cortex-m4f", {adds, bne});
  EXPECT_EQ(m4.until.back(), 1);
  EXPECT_EQ(m4.taken, 3u);
  EXPECT_EQ(m4.not_taken, 1u);
  const BlockCost m0 = cost_of("cortex-m0", {adds, bne});
  EXPECT_EQ(m0.taken, 3u);
  EXPECT_EQ(m0.not_taken, 1u);
}

TEST(CycleModel, CortexM0) {
  EXPECT_EQ(cost_of("cortex-m0", {ldr_r0, ldr_r2}).until.back(), 4);
  EXPECT_EQ(cost_of("cortex-m0", {push_4}).until.back(), 1 + 4);
  EXPECT_EQ(cost_of("cortex-m0", {pop_pc}).until.back(), 1 + 2 + 3);
  EXPECT_EQ(cost_of("cortex-m0", {bl}).until.back(), 4);
}

TEST(CycleModel, RefusesTablesItCannotRead) {
  Core core = load_core("cortex-m0").value();
  core.cycles["warp"] = 1;
  EXPECT_NE(CycleCosts::from_core(core).error().message.find("cycles.warp"), std::string::npos);
  core = load_core("cortex-m0").value();
  core.cycles.erase("load");
  EXPECT_NE(CycleCosts::from_core(core).error().message.find("cycles.load is missing"),
            std::string::npos);
  core = load_core("cortex-m0").value();
  core.cycles["load"] = 1.5;
  EXPECT_NE(CycleCosts::from_core(core).error().message.find("whole number"), std::string::npos);
}

}  // namespace
}  // namespace assay::virtual_board
