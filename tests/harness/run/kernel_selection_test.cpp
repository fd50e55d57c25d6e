// The kernels of a firmware from made-up figures: what is taken, what is left, and the reasons.
#include "harness/run/kernel_selection.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/cli/explain.hpp"
#include "tests/targets/build/form_network.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Pace pace{Hertz(1'000'000)};  // a cycle is a microsecond

TriedKernel tried(const char* kernel, std::uint64_t constants, std::uint64_t scratch,
                  std::uint64_t code, std::uint64_t cycles) {
  return {kernel,
          kernel_named(kernel)->form,
          Bytes(constants),
          Bytes(scratch),
          Bytes(code),
          Cycles(cycles),
          ""};
}

/// The rows stand for any kernels; their figures are made up. The first of each layer is "dense".
Trial made_up() {
  Trial trial;
  trial.layers = {
      {tried("conv.dsp", 1000, 200, 100, 1000), tried("conv.reference", 300, 0, 100, 2000)},
      {tried("max_pool.reference", 0, 0, 50, 300)},
      {tried("dense.dsp", 2000, 0, 100, 500), tried("dense.m0", 2500, 400, 100, 400)}};
  trial.flash_left = Bytes(100'000);
  trial.ram_left = Bytes(100'000);
  return trial;
}

class KernelSelectionOf : public ::testing::Test {
 protected:
  Result<KernelSelection> select(const DeployGoal& goal = {}) const {
    return select_kernels(graph_, core_, trial_, goal, pace_);
  }
  std::vector<std::string> kernels(const DeployGoal& goal = {}) const {
    const auto selection = select(goal);
    EXPECT_TRUE(selection) << selection.error().message;
    std::vector<std::string> names;
    for (const KernelRow* row : selection->choice.layers)
      names.emplace_back(row->name);
    return names;
  }
  std::string why_not(std::size_t layer, const DeployGoal& goal = {}) const {
    return select(goal)->layers.at(layer).at("alternatives").at(0).at("why_not");
  }

  const IntegerGraph graph_ = test::small_network();
  const Core core_ = *load_core("cortex-m4f");
  Trial trial_ = made_up();
  Pace pace_ = pace;
};

TEST_F(KernelSelectionOf, FollowsTheGoal) {
  EXPECT_THAT(kernels(), ElementsAre("conv.dsp", "max_pool.reference", "dense.m0"));
  EXPECT_THAT(kernels({Optimize::flash, {}, {}}),
              ElementsAre("conv.reference", "max_pool.reference", "dense.dsp"));
  // 1800 cycles and 3250 bytes are dense int8: the reference convolution would cost 56 % more
  // cycles for 22 % less flash.
  EXPECT_THAT(kernels({Optimize::balanced, {}, {}}),
              ElementsAre("conv.dsp", "max_pool.reference", "dense.dsp"));
}

TEST_F(KernelSelectionOf, KeepsWhatIsKnownOfEveryLayer) {
  const auto selection = select();
  ASSERT_TRUE(selection) << selection.error().message;
  EXPECT_EQ(selection->layers.at(0), Json({{"name", "conv"},
                                           {"op", to_string(IntegerOp::convolution)},
                                           {"shape", "12x12x1 -> 12x12x8"},
                                           {"macc", 12 * 12 * 9 * 8},
                                           {"kernel", "conv.dsp"},
                                           {"form", "int8"},
                                           {"constant_bytes", 1000},
                                           {"code_bytes", 100},
                                           {"scratch_bytes", 200},
                                           {"modelled_cycles", 1000},
                                           {"alternatives",
                                            {{{"kernel", "conv.reference"},
                                              {"form", "int8"},
                                              {"constant_bytes", 300},
                                              {"code_bytes", 100},
                                              {"scratch_bytes", 0},
                                              {"modelled_cycles", 2000},
                                              {"why_not", "slower by 100 %"}}}}}));
  EXPECT_EQ(selection->layers.at(1).at("alternatives"), Json::array());
  EXPECT_TRUE(selection->notices.empty());
}

TEST_F(KernelSelectionOf, SaysWhyNot) {
  EXPECT_EQ(why_not(0), "slower by 100 %");
  EXPECT_EQ(why_not(2), "slower by 25 %");
  EXPECT_EQ(why_not(2, {Optimize::flash, {}, {}}), "larger by 500 bytes");
  EXPECT_EQ(why_not(2, {Optimize::latency, Bytes(3400), {}}),
            "larger by 500 bytes: exceeds the flash budget");
  EXPECT_EQ(why_not(0, {Optimize::flash, {}, Microseconds(2000)}),
            "slower by 100 %: exceeds the latency budget");
  trial_.layers[0][1] = tried("conv.reference", 1000, 0, 100, 1000);
  EXPECT_EQ(why_not(0), "costs the same");
  trial_.layers[0][1] = tried("conv.reference", 1040, 0, 100, 1030);
  EXPECT_EQ(why_not(0), "slower by 3 %, larger by 40 bytes");
  trial_.layers[0][1].refused = "alone it does not fit";
  EXPECT_EQ(why_not(0), "alone it does not fit");
}

TEST_F(KernelSelectionOf, CallsInstructionsNeitherCyclesNorTime) {
  for (auto& kernels : trial_.layers)
    for (TriedKernel& kernel : kernels) {
      kernel.instructions = Instructions(kernel.cycles->count());
      kernel.cycles.reset();
    }
  trial_.flash_left = trial_.ram_left = std::nullopt;
  EXPECT_THAT(kernels(), ElementsAre("conv.dsp", "max_pool.reference", "dense.m0"));
  EXPECT_THAT(kernels({Optimize::flash, {}, {}}),
              ElementsAre("conv.reference", "max_pool.reference", "dense.dsp"));
  EXPECT_EQ(why_not(0), "executes 100 % more instructions");
  EXPECT_EQ(why_not(2), "executes 25 % more instructions");
  EXPECT_EQ(why_not(2, {Optimize::flash, {}, {}}), "larger by 500 bytes");
  const auto selection = select();
  const Json& layer = selection->layers.at(0);
  EXPECT_EQ(layer.at("instructions"), 1000);
  EXPECT_EQ(layer.at("alternatives").at(0).at("instructions"), 2000);
  EXPECT_THAT(selection->notices,
              ElementsAre(HasSubstr("by the instructions they execute, which are not time")));
  const std::string text = cli::explain_table(selection->layers);
  EXPECT_THAT(text, HasSubstr("1700 instructions executed (counted), which are not time\n"));
  for (const std::string& said : {selection->layers.dump(), text})
    for (const char* word : {"cycles", "slower", "faster"})
      EXPECT_THAT(said, ::testing::Not(HasSubstr(word)));
}

// As a whole the convolution needs its input, its output and its scratch: 144 + 1152 + 200 bytes.
TEST_F(KernelSelectionOf, RunsInStripsForARamBudget) {
  trial_.layers[0].pop_back();
  trial_.layers[2].pop_back();
  DeployGoal goal;
  goal.ram_budget = Bytes(1496);
  ASSERT_TRUE(select(goal));
  EXPECT_FALSE(select(goal)->choice.strips);
  EXPECT_TRUE(select(goal)->strips.is_null());
  goal.ram_budget = Bytes(1488);
  const auto selection = select(goal);
  ASSERT_TRUE(selection) << selection.error().message;
  ASSERT_TRUE(selection->choice.strips);
  EXPECT_EQ(selection->strips.at("arena_bytes_without"), 1496);
  EXPECT_LE(selection->strips.at("arena_bytes").get<std::uint64_t>(), 1488u);
  const auto deployment = deploy(graph_, &core_, selection->choice);
  ASSERT_TRUE(deployment) << deployment.error().message;
  EXPECT_EQ(deployment->memory.arena_bytes.count(), selection->strips.at("arena_bytes"));
  EXPECT_EQ(deployment->layers[0].scratch.count(), selection->layers.at(0).at("scratch_bytes"));
  const std::string why =
      "the layers as a whole need 1496 bytes of RAM, 8 more than the budget of 1488";
  EXPECT_EQ(selection->strips.at("because"), why);
  EXPECT_THAT(cli::explain_strips(selection->strips),
              AllOf(HasSubstr("because " + why), HasSubstr("instead of at least 1496")));
  EXPECT_THAT(selection->notices, ElementsAre(AllOf(HasSubstr(" strips of "), HasSubstr(why))));
}

TEST_F(KernelSelectionOf, SetsTheTimeOfStripsAside) {
  trial_.layers[0].pop_back();
  trial_.layers[2].pop_back();
  const double layers = 1800;  // cycles, of a microsecond each
  DeployGoal goal{Optimize::flash, {}, Microseconds(layers)};
  EXPECT_TRUE(select(goal)->within_budgets);
  goal.ram_budget = Bytes(1488);
  const double strips = select(goal)->strips.at("extra_instructions_estimate");
  ASSERT_GT(strips, 0);
  EXPECT_FALSE(select(goal)->within_budgets);
  goal.latency_budget = Microseconds(layers + strips - 1);
  EXPECT_FALSE(select(goal)->within_budgets);
  goal.latency_budget = Microseconds(layers + strips + 1);
  EXPECT_TRUE(select(goal)->within_budgets);
}

TEST_F(KernelSelectionOf, RunsInStripsWhereThePartIsTooSmall) {
  trial_.ram_left = Bytes(1200);
  const auto selection = select();
  ASSERT_TRUE(selection) << selection.error().message;
  EXPECT_TRUE(selection->choice.strips);
  EXPECT_EQ(selection->strips.at("because"),
            "the layers as a whole need 1296 bytes of RAM, more than the part has room for");
  // A budget that is larger than the part's RAM changes nothing.
  DeployGoal goal;
  goal.ram_budget = Bytes(50'000);
  EXPECT_EQ(select(goal)->choice.strips, selection->choice.strips);
  EXPECT_EQ(select(goal)->strips, selection->strips);
}

// Scratch lies in a bank of its own where the bank of the tensors has no room for it.
TEST_F(KernelSelectionOf, CountsEveryBankOfTheRam) {
  trial_.ram_left = Bytes(1304);
  const auto chosen_in = [&](Bytes second) {
    const RamLayout ram{{{"FIRST", Bytes(1304)}, {"SECOND", second}}, Bytes(0)};
    const auto selection = select_kernels(graph_, core_, trial_, {}, pace_, ram);
    EXPECT_TRUE(selection) << selection.error().message;
    return *selection;
  };
  const KernelSelection roomy = chosen_in(Bytes(256));
  EXPECT_FALSE(roomy.choice.strips);
  EXPECT_EQ(roomy.choice.layers[0]->name, "conv.dsp");
  const KernelSelection narrow = chosen_in(Bytes(128));
  EXPECT_EQ(narrow.choice.layers[0]->name, "conv.reference");
  EXPECT_THAT(narrow.layers.at(0).at("alternatives").at(0).at("why_not").get<std::string>(),
              HasSubstr("the RAM"));
}

TEST_F(KernelSelectionOf, KernelsInStripsAreTheFirstWhereNoneFitAsAWhole) {
  trial_.ram_left = Bytes(1000);
  for (TriedKernel& kernel : trial_.layers[0]) {
    kernel.cycles.reset();
    kernel.code.reset();
    kernel.refused = "alone it does not fit: region RAM overflows";
  }
  const auto selection = select();
  ASSERT_TRUE(selection) << selection.error().message;
  EXPECT_TRUE(selection->choice.strips);
  EXPECT_EQ(selection->choice.layers[0]->name, "conv.dsp");
  EXPECT_FALSE(selection->layers.at(0).contains("modelled_cycles"));

  // Nothing tells their time, but their bytes are known.
  trial_.layers[0][1].constants = Bytes(1);
  DeployGoal small;
  small.optimize = Optimize::flash;
  const auto smaller = select(small);
  ASSERT_TRUE(smaller) << smaller.error().message;
  EXPECT_TRUE(smaller->choice.strips);
  EXPECT_EQ(smaller->choice.layers[0]->name, trial_.layers[0][1].kernel);
}

TEST_F(KernelSelectionOf, NamesTheLeastRamThereCanBe) {
  DeployGoal goal;
  goal.ram_budget = Bytes(1);
  const auto refused = select(goal);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::bad_input);
  const std::string& message = refused.error().message;
  const std::string before = "the layers need at least ";
  ASSERT_EQ(message.find(before), 0u) << message;
  const auto least = std::stoull(message.substr(before.size()));
  EXPECT_EQ(message, fmt::format("{}{} bytes of RAM, {} more than the budget of 1", before, least,
                                 least - 1));
  goal.ram_budget = Bytes(least);
  EXPECT_TRUE(select(goal));
  goal.ram_budget = Bytes(least - 1);
  EXPECT_FALSE(select(goal));
}

TEST_F(KernelSelectionOf, KeepsTheBudgets) {
  EXPECT_THAT(kernels({Optimize::latency, Bytes(3400), {}}),
              ElementsAre("conv.dsp", "max_pool.reference", "dense.dsp"));
  EXPECT_THAT(kernels({Optimize::flash, {}, Microseconds(2000)}),
              ElementsAre("conv.dsp", "max_pool.reference", "dense.dsp"));
  // The part has less than the user allows.
  trial_.flash_left = Bytes(3400);
  EXPECT_THAT(kernels({Optimize::latency, Bytes(50'000), {}}),
              ElementsAre("conv.dsp", "max_pool.reference", "dense.dsp"));
}

// What is built of the layers may need less than they do one by one: the nearest is built.
TEST_F(KernelSelectionOf, ComesNearestToBudgetsThatTheLayersOneByOneExceed) {
  struct Case {
    DeployGoal goal;
    bool within;
    std::vector<std::string> kernels;
  };
  const std::vector<std::string> smallest{"conv.reference", "max_pool.reference", "dense.dsp"};
  const std::vector<std::string> fastest{"conv.dsp", "max_pool.reference", "dense.m0"};
  for (const auto& [goal, within, expected] :
       {Case{{Optimize::latency, Bytes(2550), {}}, true, smallest},
        Case{{Optimize::latency, Bytes(2549), {}}, false, smallest},
        Case{{Optimize::flash, {}, Microseconds(1700)}, true, fastest},
        Case{{Optimize::flash, {}, Microseconds(1699.9)}, false, fastest}}) {
    EXPECT_EQ(kernels(goal), expected);
    EXPECT_EQ(select(goal)->within_budgets, within);
  }
}

TEST_F(KernelSelectionOf, ReckonsLatencyByTheCalibration) {
  // Silicon takes a quarter more: 2000 us are 1600 modelled cycles, fewer than the fastest's 1700.
  const DeployGoal goal{Optimize::flash, {}, Microseconds(2000)};
  EXPECT_TRUE(select(goal)->within_budgets);
  pace_.factor = 1.25;
  EXPECT_FALSE(select(goal)->within_budgets);
  // And where it is faster than modelled, the slower kernels are within the budget too.
  pace_.factor = 0.5;
  EXPECT_THAT(kernels(goal), ElementsAre("conv.reference", "max_pool.reference", "dense.dsp"));
}

TEST_F(KernelSelectionOf, WeighsTheLatencyAgainstTheFlashThatThePartHas) {
  // The fast ones take 3750 bytes and 1700 cycles; in 3000 bytes there are 2800 cycles at least.
  trial_.flash_left = Bytes(3000);
  EXPECT_TRUE(select({Optimize::latency, {}, Microseconds(2800)})->within_budgets);
  EXPECT_FALSE(select({Optimize::latency, {}, Microseconds(2799)})->within_budgets);
}

TEST_F(KernelSelectionOf, TakesAnyLatencyForABudget) {
  EXPECT_THAT(kernels({Optimize::flash, {}, Microseconds(1e300)}),
              ElementsAre("conv.reference", "max_pool.reference", "dense.dsp"));
}

TEST_F(KernelSelectionOf, RefusesBudgetsWhereNothingWasTried) {
  trial_ = {};
  trial_.notice = "no virtual board";
  for (const DeployGoal& goal : {DeployGoal{Optimize::latency, Bytes(1'000'000), {}},
                                 DeployGoal{Optimize::flash, {}, Microseconds(1e9)}}) {
    const auto selection = select(goal);
    ASSERT_FALSE(selection);
    EXPECT_EQ(selection.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(selection.error().message, HasSubstr("where no kernel can be tried, no virtual"));
  }
}

TEST_F(KernelSelectionOf, APartThatIsTooSmallGetsTheSmallestForTheLinkerToRefuse) {
  trial_.flash_left = Bytes(2000);
  EXPECT_THAT(kernels(), ElementsAre("conv.reference", "max_pool.reference", "dense.dsp"));
  EXPECT_FALSE(select()->within_budgets);
  // However fast it was asked to be.
  EXPECT_THAT(kernels({Optimize::latency, {}, Microseconds(1)}),
              ElementsAre("conv.reference", "max_pool.reference", "dense.dsp"));
}

TEST_F(KernelSelectionOf, TakesNoScratchThatExceedsTheRam) {
  // Input 144, features 1152, and 200 of scratch beside them.
  trial_.ram_left = Bytes(1300);
  EXPECT_THAT(kernels(), ElementsAre("conv.reference", "max_pool.reference", "dense.m0"));
  EXPECT_EQ(why_not(0), "exceeds the RAM by 196 bytes");
  // Where nothing fits, the least scratch is for the linker to refuse.
  trial_.ram_left = Bytes(100);
  EXPECT_THAT(kernels(), ElementsAre("conv.reference", "max_pool.reference", "dense.dsp"));
}

TEST_F(KernelSelectionOf, WithoutATrialIsTheFirstInt8KernelWithANotice) {
  trial_ = {};
  trial_.notice = "no virtual board";
  const auto selection = select();
  ASSERT_TRUE(selection) << selection.error().message;
  EXPECT_THAT(selection->notices,
              ElementsAre("every layer has its first int8 kernel: no virtual board"));
  EXPECT_EQ(selection->choice.layers[0]->name, "conv3x3_one_channel.dsp");
  EXPECT_EQ(selection->layers.at(0).at("kernel"), "conv3x3_one_channel.dsp");
  EXPECT_GT(selection->layers.at(0).at("constant_bytes"), 72);
  EXPECT_FALSE(selection->layers.at(0).contains("modelled_cycles"));
}

TEST_F(KernelSelectionOf, GoesByConstantsForFlashUnderLinux) {
  trial_ = {};
  trial_.notice = "no cycles";
  const IntegerGraph graph = test::form_network(WeightForm::int4);
  const Core pi = *load_core("cortex-a72");
  const auto small = select_kernels(graph, pi, trial_, {Optimize::flash, {}, {}}, pace);
  ASSERT_TRUE(small) << small.error().message;
  EXPECT_THAT(small->notices,
              ElementsAre("every layer has the kernel of the fewest constants: no cycles"));
  EXPECT_EQ(small->choice.layers.back()->name, "dense_int4.neon");
  const auto fast = select_kernels(graph, pi, trial_, {}, pace);
  ASSERT_TRUE(fast) << fast.error().message;
  EXPECT_EQ(fast->choice.layers.back()->name, "dense.neon");
}

TEST_F(KernelSelectionOf, SaysWhichFormALayerWouldHaveFitted) {
  trial_ = {};
  trial_.notice = "no virtual board";
  IntegerGraph network = test::form_network(WeightForm::int4);
  // A quarter of the depthwise weights, too many values for a codebook to pay.
  auto& weights = network.layers[1].weights;
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<std::int8_t>(i < weights.size() / 4 ? i + 8 : 0);
  const auto selection = select_kernels(network, core_, trial_, {}, pace);
  ASSERT_TRUE(selection) << selection.error().message;
  const Json& depthwise = selection->layers.at(1);
  EXPECT_EQ(depthwise.at("int8_because"),
            "the weights fit unstructured, of which cortex-m4f has no depthwise kernel: they take "
            "a byte each");
  EXPECT_FALSE(selection->layers.at(0).contains("int8_because"));
  EXPECT_THAT(
      cli::explain_table(selection->layers),
      HasSubstr("  the weights fit unstructured, of which cortex-m4f has no depthwise kernel"));
}

TEST_F(KernelSelectionOf, RefusesTheTrialOfAnotherNetwork) {
  trial_.layers.pop_back();
  const auto selection = select();
  ASSERT_FALSE(selection);
  EXPECT_EQ(selection.error().message, "the kernels of 2 layers were tried, the network has 3");
}

}  // namespace
}  // namespace assay
