// Exports of networks that no single bank of RAM can hold: over several banks, in strips, or a
// verdict.
#include <gtest/gtest.h>

#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Arguments = std::vector<std::string>;

class Export : public ::testing::Test {
 protected:
  Answer export_for(const std::string& part, const std::string& folder,
                    const Arguments& more = {}) const {
    Arguments arguments{"export", "model.onnx", "--part", part, "-o", folder};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return user_.run(arguments);
  }
  std::string file_of(const std::string& library, const std::string& name) const {
    return read_text(user_.project() / library / name).value_or("");
  }

  const User user_;
};

// The STM32F405 has 131 072 bytes of RAM and 65 536 of CCM.
constexpr int channels_of_64_kb = 83;

TEST_F(Export, LiesInSeveralBanksWhereNoneHasRoom) {
  user_.write("model.onnx", two_deep_layers_model(channels_of_64_kb));
  const Answer answer = export_for("stm32f405", "library");
  ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  EXPECT_THAT(answer.output, AllOf(HasSubstr(" in RAM"), HasSubstr(" in CCM"),
                                   HasSubstr("see README.txt"), Not(HasSubstr("strips"))));
  EXPECT_THAT(file_of("library", "README.txt"),
              HasSubstr(".arena.CCM (NOLOAD) : { *(.bss.arena.CCM) } >CCM"));
}

TEST_F(Export, RunsInStripsWhereNoTensorMayBeWhole) {
  user_.write("model.onnx", narrowing_model(200));
  const Answer answer = export_for("stm32f405", "library");
  ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  EXPECT_THAT(answer.output, AllOf(HasSubstr("strips of"), Not(HasSubstr(" in CCM"))));
  EXPECT_THAT(file_of("library", "model.cpp"), HasSubstr("strip"));
}

TEST_F(Export, OfAPartWithOneBankRunsInStripsToo) {
  user_.write("model.onnx", narrowing_model(48));
  const Answer answer = export_for("stm32f030cc", "library");
  ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  EXPECT_THAT(answer.output, HasSubstr("strips of"));
}

TEST_F(Export, KeepsStripsWhereBudgetsAskForWhatIsBuilt) {
  user_.write("model.onnx", two_deep_layers_model(channels_of_64_kb));
  const Answer chosen = export_for("stm32f405", "chosen", {"--ram-budget", "100000"});
  ASSERT_EQ(chosen.exit_code, 0) << chosen.errors;
  EXPECT_THAT(chosen.output, HasSubstr("strips of"));
  const Answer built =
      export_for("stm32f405", "built", {"--ram-budget", "100000", "--flash-budget", "1000000"});
  ASSERT_EQ(built.exit_code, 0) << built.errors;
  EXPECT_EQ(file_of("built", "model.cpp"), file_of("chosen", "model.cpp"));
  // Without the limit on RAM what is built lies in both banks, and so does what is exported.
  const Answer split = export_for("stm32f405", "split", {"--latency-budget", "10000000"});
  ASSERT_EQ(split.exit_code, 0) << split.errors;
  EXPECT_THAT(split.output, HasSubstr(" in CCM"));
}

struct TooLarge {
  const char* name;
  const char* part;
  std::string model;
  const char* words;
};

class ExportsThatDoNotFit : public Export, public ::testing::WithParamInterface<TooLarge> {};

TEST_P(ExportsThatDoNotFit, AreAVerdictAndLeaveNothing) {
  user_.write("model.onnx", GetParam().model);
  const Answer answer = export_for(GetParam().part, "library");
  EXPECT_EQ(answer.exit_code, 5);
  EXPECT_THAT(answer.errors, IsOneSentence(GetParam().words));
  EXPECT_EQ(user_.project_files(), std::set<std::string>{"model.onnx"});
}

INSTANTIATE_TEST_SUITE_P(
    Parts, ExportsThatDoNotFit,
    ::testing::Values(TooLarge{"Banks", "stm32f405", large_image_model(400),
                               "the largest of STM32F405RG's 2 banks of RAM, RAM, has 131072: it "
                               "does not fit, not over several banks or with layers in strips"},
                      TooLarge{"OneBank", "stm32f030cc", large_image_model(200),
                               "it does not fit, not with layers in strips either"},
                      TooLarge{"Flash", "stm32f030cc", wide_model(400),
                               "bytes of flash: it does not fit"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace assay::test
