// Models with int16 activations measured on virtual boards and on an emulated Linux core: every
// logit the same bits as the host's.
#include <gtest/gtest.h>

#include <regex>

#include "harness/core/json.hpp"
#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

class WideModel : public ::testing::TestWithParam<const char*> {};

TEST_P(WideModel, IsConfirmedLogitByLogit) {
  const User user;
  user.write("model.onnx", small_int16_model());
  const auto answer = user.run({"measure", "model.onnx", "--on",
                                "virtual:" + std::string(GetParam()), "--samples", "20", "--json"});
  ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  const Json record = Json::parse(answer.output).at("records").at(0);
  EXPECT_EQ(record.at("verdict"), "pass");
  EXPECT_EQ(record.at("metrics").at("samples_confirmed").at("value"), 20);
  EXPECT_EQ(record.at("build").at("arithmetic"), "int16");
  EXPECT_EQ(record.at("build").at("weights"), "int8");
  // 28 x 28 inputs of two bytes, and 14 x 14 outputs of four channels beside them.
  EXPECT_GE(record.at("metrics").at("ram_arena_bytes").at("value"), 2 * (784 + 784));
}

/// In strips, of which no part of the network knows that they hold two bytes an element.
TEST(WideModels, KeepTheLeastRamThatARefusalNames) {
  const User user;
  user.write("model.onnx", small_int16_model());
  const auto measure = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"measure",   "model.onnx", "--on",  "virtual:stm32f405",
                                       "--samples", "10",         "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return user.run(arguments);
  };
  const auto record_of = [](const Answer& answer) {
    EXPECT_EQ(answer.exit_code, 0) << answer.errors;
    return Json::parse(answer.output).at("records").at(0);
  };
  const Json whole = record_of(measure({}));
  EXPECT_FALSE(whole.at("build").contains("strips"));

  const auto refused = measure({"--ram-budget", "1"});
  EXPECT_EQ(refused.exit_code, 2);
  std::smatch least;
  ASSERT_TRUE(
      std::regex_search(refused.errors, least, std::regex("need at least ([0-9]+) bytes of RAM")))
      << refused.errors;
  const Json stripped = record_of(measure({"--ram-budget", least[1].str()}));
  EXPECT_EQ(stripped.at("verdict"), "pass");
  EXPECT_EQ(stripped.at("metrics").at("samples_confirmed").at("value"), 10);
  EXPECT_EQ(stripped.at("build").at("arithmetic"), "int16");
  EXPECT_TRUE(stripped.at("build").contains("strips")) << stripped.at("build");
  EXPECT_LE(stripped.at("metrics").at("ram_arena_bytes").at("value"), std::stoi(least[1].str()));
  EXPECT_LT(stripped.at("metrics").at("ram_arena_bytes").at("value"),
            whole.at("metrics").at("ram_arena_bytes").at("value"));
}

INSTANTIATE_TEST_SUITE_P(Boards, WideModel,
                         ::testing::Values("stm32f405", "stm32h747", "stm32u575", "stm32f030cc"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace assay::test
