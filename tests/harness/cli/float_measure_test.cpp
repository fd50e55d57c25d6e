// Float models measured on virtual boards: every logit the same bits as the host's, with an FPU and
// without one.
#include <gtest/gtest.h>

#include "harness/core/json.hpp"
#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

struct Measured {
  const char* name;
  FloatForm form;
  const char* board;
  const char* weights;  ///< as the record names them
  double weight_bytes;  ///< of 36 + 288 + 3920 weights
};

class FloatModel : public ::testing::TestWithParam<Measured> {};

TEST_P(FloatModel, IsConfirmedLogitByLogit) {
  const Measured& one = GetParam();
  const User user;
  user.write("model.onnx", small_float_model(one.form));
  const auto answer =
      user.run({"measure", "model.onnx", "--on", one.board, "--samples", "20", "--json"});
  ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  const Json record = Json::parse(answer.output).at("records").at(0);
  EXPECT_EQ(record.at("verdict"), "pass");
  EXPECT_EQ(record.at("metrics").at("samples_confirmed").at("value"), 20);
  EXPECT_EQ(record.at("build").at("arithmetic"), "float32");
  EXPECT_EQ(record.at("build").at("weights"), one.weights);
  // Besides the weights there are 22 biases and scales, which may have become part of the code.
  EXPECT_GE(record.at("metrics").at("rom_weights_bytes").at("value"), one.weight_bytes);
  EXPECT_LE(record.at("metrics").at("rom_weights_bytes").at("value"), one.weight_bytes + 240);
  for (const Json& layer : record.at("build").at("layers"))
    EXPECT_EQ(layer.at("form"), one.weights) << layer;
}

constexpr double weights = 36 + 288 + 3920;

INSTANTIATE_TEST_SUITE_P(Boards, FloatModel,
                         ::testing::Values(Measured{"Float32OnF405", FloatForm::float32,
                                                    "virtual:stm32f405", "float32", 4 * weights},
                                           Measured{"Float16OnH747", FloatForm::float16,
                                                    "virtual:stm32h747", "float16", 2 * weights},
                                           Measured{"DynamicOnF030", FloatForm::dynamic,
                                                    "virtual:stm32f030cc", "int8", weights}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace assay::test
