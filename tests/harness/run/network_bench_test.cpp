// Whole networks on virtual boards: what does not fit as a whole, and what does not fit at all.
#include "harness/run/network_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/file.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NetworkBench : public ::testing::Test {
 protected:
  Result<std::vector<NetworkFigure>> figures(const std::string& part,
                                             const std::vector<std::string>& networks,
                                             std::optional<Bytes> budget = {}) const {
    const Board board = implicit_virtual_board(*find_board_type(part));
    return bench_networks_on(board, networks, budget, scratch_.path(), {});
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "bench");
};

TEST_F(NetworkBench, RunsInStripsWhereThePartHasNoRoomForTheWhole) {
  // 52 000 bytes of tensors and scratch as a whole, on a part with 32 768 of RAM.
  const auto found = figures("stm32f030cc", {"resnet8"});
  ASSERT_TRUE(found) << found.error().message;
  const NetworkFigure& figure = found->at(0);
  EXPECT_THAT(figure.misfit, IsEmpty());
  ASSERT_TRUE(figure.strips);
  EXPECT_THAT(figure.strips_because, HasSubstr("the layers as a whole need"));
  EXPECT_THAT(figure.strips_because, HasSubstr("bytes of RAM, more than the part has room for"));
  EXPECT_LT(figure.ram_bytes(), 32'768);
  EXPECT_GT(figure.instructions, figure.macs);
}

TEST_F(NetworkBench, RunsAsAWholeWhereThatHasRoom) {
  const auto found = figures("stm32f030cc", {"conv5 cut4 width50"});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->at(0).misfit, IsEmpty());
  EXPECT_FALSE(found->at(0).strips);
  EXPECT_THAT(found->at(0).strips_because, IsEmpty());
}

/// On silicon CMSIS-NN was measured to take 77 ms for it.
TEST_F(NetworkBench, TheCifarNetworkOfThreeConvolutionsTakesLessThan35MillisecondsOnTheF779) {
  const auto found = figures("stm32f779", {"conv3"});
  ASSERT_TRUE(found) << found.error().message;
  const NetworkFigure& figure = found->at(0);
  EXPECT_THAT(figure.misfit, IsEmpty());
  ASSERT_TRUE(figure.cycles);
  constexpr double cycles_per_ms = 216e3;
  EXPECT_EQ(find_board_type("stm32f779")->clock, Hertz(216'000'000));
  EXPECT_LT(*figure.cycles, 35 * cycles_per_ms);
  EXPECT_GT(*figure.cycles, figure.instructions / 2) << "no Cortex-M7 issues more in a cycle";
}

TEST_F(NetworkBench, ABudgetThatNothingKeepsIsAMisfitAmongOthersAndAnErrorAlone) {
  const std::vector<std::string> two{"conv5 cut4 width50", "ds-cnn"};
  const auto found = figures("stm32f405", two, Bytes(1));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 2u);
  for (const NetworkFigure& figure : *found) {
    EXPECT_THAT(figure.misfit, HasSubstr("more than the budget of 1"));
    EXPECT_GT(figure.macs, 0) << figure.network;
    EXPECT_FALSE(figure.strips);
  }
  EXPECT_EQ(found->at(1).network, "ds-cnn");
  const auto alone = figures("stm32f405", {"ds-cnn"}, Bytes(1));
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(alone.error().message, found->at(1).misfit);
}

TEST_F(NetworkBench, WhatNoStripsBringIntoThePartIsAMisfitThatTheLinkerTells) {
  const auto found = figures("stm32f030cc", {"mcunet-vww0"});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->at(0).misfit,
              HasSubstr("does not fit: region FLASH of stm32f030cc overflows"));
  EXPECT_EQ(found->at(0).instructions, 0);
}

TEST_F(NetworkBench, RefusesANetworkThatNobodyKnows) {
  const auto found = figures("stm32f405", {"resnet9"});
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("no network is named \"resnet9\"; there are "));
}

}  // namespace
}  // namespace assay
