// What a block costs behind another, block by block, in cycles that follow from the instructions'
// timings by hand.
#include "boards/virtual/execution_counter.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace assay::virtual_board {
namespace {

constexpr std::uint32_t first_block = 0x08000000, second_block = first_block + 4;

/// An STM32F405's memory with another core, and two blocks in its flash:
///   first:  adds r0, r1, r2; bne first
///   second: ldr r0, [r1]; b first
class Flow {
 public:
  explicit Flow(const char* core) : part_(load_part("stm32f405").value()) {
    part_.core = load_core(core).value();
    model_ = std::move(make_cycle_model(part_.core).value());
    memory_ = std::make_unique<MemoryMap>(part_, std::vector<std::uint8_t>(12));
    constexpr std::uint16_t code[] = {0x1888, 0xD1FD, 0x6808, 0xE7FB};
    std::memcpy(memory_->flash_bank().bytes.data(), code, sizeof code);
    code_ = std::make_unique<CodeMap>(*memory_, part_, *model_);
    counter_ = std::make_unique<ExecutionCounter>(*code_, *model_);
  }

  /// Enters the blocks one after the other and returns the cycles they add.
  std::uint64_t enter(std::initializer_list<std::uint32_t> blocks) {
    const std::uint64_t before = counter_->cycles();
    for (std::uint32_t address : blocks)
      counter_->enter(code_->find(address, 4));
    return counter_->cycles() - before;
  }

  CodeMap& code() { return *code_; }
  ExecutionCounter& counter() { return *counter_; }

 private:
  Part part_;
  std::unique_ptr<CycleModel> model_;
  std::unique_ptr<MemoryMap> memory_;
  std::unique_ptr<CodeMap> code_;
  std::unique_ptr<ExecutionCounter> counter_;
};

TEST(ExecutionCounter, ABranchIsChargedWithWhatItLedTo) {
  Flow flow("cortex-m4f");
  EXPECT_EQ(flow.enter({first_block}), 1u) << "the addition, not yet the branch";
  EXPECT_EQ(flow.enter({first_block}), 3u + 1) << "taken";
  EXPECT_EQ(flow.enter({first_block}), 3u + 1);
  EXPECT_EQ(flow.enter({second_block}), 1u + 2) << "not taken, and a load";
  EXPECT_EQ(flow.enter({first_block}), 3u + 1);
  EXPECT_EQ(flow.counter().instructions(), 10u);
}

TEST(ExecutionCounter, AnExceptionBreaksTheFlow) {
  Flow flow("cortex-m4f");
  flow.enter({first_block});
  flow.counter().break_flow(first_block);
  EXPECT_EQ(flow.counter().cycles(), 1u + 3) << "the branch went where the exception came";
  flow.counter().break_flow(first_block);
  EXPECT_EQ(flow.counter().cycles(), 1u + 3) << "once";
  EXPECT_EQ(flow.enter({second_block}), 2u) << "behind nothing";
}

TEST(ExecutionCounter, TimeWithinABlockBeginsBehindTheBranchBeforeIt) {
  Flow flow("cortex-m4f");
  flow.enter({first_block, first_block});
  EXPECT_EQ(flow.counter().cycles_within(0), 1u + 3);
  EXPECT_EQ(flow.counter().cycles_within(1), 1u + 3 + 1);
  flow.counter().cut_short(flow.code().find(first_block, 4), 0);
  EXPECT_EQ(flow.counter().cycles(), 1u + 3);
  EXPECT_EQ(flow.counter().instructions(), 2u);
}

TEST(ExecutionCounter, CodeInFlashCostsMoreWithWaitStates) {
  Flow flow("cortex-m4f");
  flow.enter({first_block, first_block});
  flow.code().set_wait_states(5);
  const std::uint64_t before = flow.counter().cycles();
  for (int round = 0; round < 1000; ++round)
    flow.enter({first_block});
  EXPECT_NEAR(static_cast<double>(flow.counter().cycles() - before), 1000 * 4 * 1.08, 1);
  flow.code().set_wait_states(0);
  EXPECT_EQ(flow.enter({first_block, first_block}), 8u);
}

TEST(ExecutionCounter, TheRarerWayOfABranchIsMispredicted) {
  Flow once("cortex-m7"), looped("cortex-m7");
  once.enter({first_block});
  const std::uint64_t predicted = once.enter({second_block});
  looped.enter({first_block, first_block, first_block});
  EXPECT_EQ(looped.enter({second_block}), predicted + 7);
  // Now 2 taken and 1 not: the next one that falls through is the second of two.
  looped.enter({first_block});
  EXPECT_EQ(looped.enter({second_block}), predicted + 7);
  looped.enter({first_block});
  EXPECT_EQ(looped.enter({second_block}), predicted) << "now falling through is the usual way";
}

}  // namespace
}  // namespace assay::virtual_board
