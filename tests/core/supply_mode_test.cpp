// Supply modes by their words, and every way a choice of supply can be refused.
#include "harness/core/supply_mode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/board_type.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;

TEST(SupplyMode, WordsRoundTrip) {
  for (const char* word : {"ldo", "smps", "smps-1v8-ldo", "smps-2v5-ldo", "external"}) {
    const auto mode = parse_supply_mode(word);
    ASSERT_TRUE(mode) << word;
    EXPECT_EQ(to_string(*mode), word);
  }
  const auto wrong = parse_supply_mode("battery");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "expected one of ldo, smps, smps-1v8-ldo, smps-2v5-ldo, external, found \"battery\"");
}

constexpr auto ldo = SupplyMode::ldo;
constexpr auto smps = SupplyMode::smps;

struct ChoiceCase {
  const char* name;
  SupplyChoice choice;
  const char* refusal;  ///< nullptr: accepted
};

class SupplyChoices : public ::testing::TestWithParam<ChoiceCase> {};

TEST_P(SupplyChoices, AreAcceptedOrRefusedInOneSentence) {
  const auto status = check_supply_choice(GetParam().choice, "CHIP");
  if (!GetParam().refusal) {
    EXPECT_TRUE(status) << status.error().message;
    return;
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(status.error().message, GetParam().refusal);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, SupplyChoices,
    ::testing::Values(
        ChoiceCase{"NoChoice", {std::nullopt, {}, {}}, nullptr},
        ChoiceCase{"Wired", {smps, {ldo, smps}, {smps}}, nullptr},
        ChoiceCase{"OneOfTwoWirings", {ldo, {ldo, smps}, {smps, ldo}}, nullptr},
        ChoiceCase{"NotNeeded", {ldo, {}, {}}, "CHIP has no choice of supply; leave it out"},
        ChoiceCase{"Missing",
                   {std::nullopt, {ldo, smps}, {ldo}},
                   "CHIP is locked out by a wrong supply: say which of ldo, smps the board has"},
        ChoiceCase{"NotThePartS", {smps, {ldo}, {ldo}}, "CHIP has no supply mode smps; it has ldo"},
        ChoiceCase{"NotWired",
                   {ldo, {ldo, smps}, {smps}},
                   "ldo would lock CHIP out: the board's power pins are wired for smps"},
        ChoiceCase{"WiringUnknown",
                   {ldo, {ldo, smps}, {}},
                   "ldo would lock CHIP out: the board's power pins are wired for nothing that "
                   "power_wiring names"}),
    [](const auto& param) { return param.param.name; });

TEST(SupplyOfABoard, IsCheckedUnderItsName) {
  auto type = *load_board_type("stm32h747i-disco");
  EXPECT_TRUE(check_supply(type));
  type.supply_mode = SupplyMode::ldo;
  const auto status = check_supply(type);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message,
              HasSubstr("stm32h747i-disco: supply_mode: ldo would lock STM32H747XI out"));
}

}  // namespace
}  // namespace assay
