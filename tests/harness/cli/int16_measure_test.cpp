// Models with int16 activations measured on virtual boards and on an emulated Linux core: every
// logit the same bits as the host's.
#include <gtest/gtest.h>

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

INSTANTIATE_TEST_SUITE_P(Boards, WideModel,
                         ::testing::Values("stm32f405", "stm32h747", "stm32u575", "stm32f030cc"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace assay::test
