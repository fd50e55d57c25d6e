// What a user types or writes wrongly: the documented exit code, one sentence, nothing left behind.
#include <gtest/gtest.h>

#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

struct BadMatrix {
  const char* name;
  const char* text;
  const char* words;  ///< of the sentence: the file, the place, the problem
};

/// A matrix that is right but for the fields given.
#define DEPLOYED R"("deploy": {"on": [{"board_type": "stm32f405", "virtual": true}]})"

constexpr BadMatrix bad_matrices[] = {
    {"Malformed", R"({"name": "m",)", "m.json is not valid JSON: parse error at line 1"},
    {"UnknownField", R"({"name": "m", "base": {"train": {"epoch": 3}}, )" DEPLOYED "}",
     "m.json: base.train.epoch: unknown field"},
    {"UnknownSection", R"({"name": "m", "bass": {}, )" DEPLOYED "}", "m.json: bass: unknown field"},
    {"DuplicateKey", R"({"name": "m", "base": {"seed": 1, "seed": 2}, )" DEPLOYED "}",
     "m.json: the key \"seed\" is given twice"},
    {"EmptyRange",
     R"({"name": "m", "sweep": {"seed": {"from": 5, "to": 1, "step": 1}}, )" DEPLOYED "}",
     "m.json: sweep[\"seed\"]: the range from 5 to 1 with step 1 is empty"},
    {"EmptyList", R"({"name": "m", "sweep": {"seed": []}, )" DEPLOYED "}",
     "m.json: sweep[\"seed\"]: the list is empty"},
    {"WrongValue", R"({"name": "m", "base": {"student": {"cut": 3}}, )" DEPLOYED "}",
     "m.json: base.student.cut: expected \"none\" or 5 or 4, found number 3"},
    {"UnknownDataSet", R"({"name": "m", "base": {"data": "mnist-in-oil"}, )" DEPLOYED "}",
     "m.json: base.data: expected \"fashion-mnist\" or \"mnist\" or \"cifar10\" or \"pointing\" or "
     "a path that ends in .json, found string \"mnist-in-oil\""},
    {"MissingDescription", R"({"name": "m", "base": {"data": "eyes.json"}, )" DEPLOYED "}",
     "cannot read eyes.json: No such file"},
    {"SelectionOfARegression",
     R"({"name": "m", "base": {"data": "pointing"}, "sweep": {"student.cut": [5, 4]},
         "deploy": {"best_over": ["student.cut"], "on": [{"board_type": "stm32f405"}]}})",
     "pointing is a regression set; deploy.best_over chooses by accuracy"},
    {"UnknownPart", R"({"name": "m", "deploy": {"on": [{"board_type": "stm32f999"}]}})",
     "m.json: deploy.on[0].board_type: unknown board type or part \"stm32f999\": known types are"},
    {"TooFast",
     R"({"name": "m", "deploy": {"on": [{"board_type": "stm32f405", "clock_mhz": 999}]}})",
     "m.json: deploy.on[0].clock_mhz: expected more than 0 and at most 168 MHz"},
    {"NoPllSetting",
     R"({"name": "m", "deploy": {"on": [{"board_type": "stm32f405", "clock_mhz": 17.3}]}})",
     "m.json: deploy.on[0].clock_mhz: olimex-stm32-h405 cannot run at 17300000 Hz"},
    {"UnknownLayer",
     R"({"name": "m", "base": {"prune": {"sparsity": 0.5, "layers": ["conv9"]}}, )" DEPLOYED "}",
     "m.json: conv5_p0.5_pl-conv9_s1: prune: the model has no layer 'conv9' with weights, it has "
     "conv1"},
    {"TheSameTargetTwice",
     R"({"name": "m", "deploy": {"on": [{"board_type": "stm32f405", "virtual": true},
      {"board_type": "olimex-stm32-h405", "virtual": true, "clock_mhz": 168}]}})",
     "m.json: deploy.on[1].board_type: olimex-stm32-h405 is there twice, at the same clock for the "
     "same goal"},
    {"NameThatLeavesTheFolder", R"({"name": "../m", )" DEPLOYED "}", "m.json: name: expected"},
};

class BadMatrices : public ::testing::TestWithParam<BadMatrix> {};

TEST_P(BadMatrices, AreRefusedBeforeAnythingIsDone) {
  const User user;
  user.write("m.json", GetParam().text);
  for (const char* verb : {"plan", "run"}) {
    const auto answer = user.run({verb, "m.json"});
    EXPECT_EQ(answer.exit_code, 2) << verb;
    EXPECT_THAT(answer.errors, IsOneSentence(std::string(GetParam().words))) << verb;
    EXPECT_EQ(answer.output, "") << verb;
  }
  EXPECT_EQ(user.project_files(), std::set<std::string>{"m.json"});
  EXPECT_FALSE(std::filesystem::exists(user.cache()));
}

INSTANTIATE_TEST_SUITE_P(Cli, BadMatrices, ::testing::ValuesIn(bad_matrices),
                         [](const auto& test) { return test.param.name; });

constexpr BadMatrix matrices_that_cannot_run[] = {
    {"TooFewImagesForABatch", R"({"name": "m", "base": {"train.images": 100}, )" DEPLOYED "}",
     "train.images: 100 images do not fill one batch of 128"},
    {"MoreImagesThanThereAre", R"({"name": "m", "base": {"train.images": 55001}, )" DEPLOYED "}",
     "train.images is 55001, but the training split has 55000 images: give a smaller train.images"},
    {"NoLoss", R"({"name": "m", "base": {"distill": {"alpha": 0, "beta": 0}}, )" DEPLOYED "}",
     "alpha and beta are both 0, which leaves no loss"},
    {"EverythingExcluded", R"({"name": "m", "exclude": [{"seed": 1}], )" DEPLOYED "}",
     "m.json has no cell to run: exclude leaves no configuration"},
    {"NoSuchBoard", R"({"name": "m", "deploy": {"on": [{"board_type": "stm32f405"}]}})",
     "no board of type olimex-stm32-h405 in the inventory; add one to boards.json"},
};

class MatricesThatCannotRun : public ::testing::TestWithParam<BadMatrix> {};

TEST_P(MatricesThatCannotRun, AreRefusedBeforeAnythingIsDone) {
  const User user;
  user.write("m.json", GetParam().text);
  const auto answer = user.run({"run", "m.json"});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, IsOneSentence(std::string(GetParam().words)));
  EXPECT_EQ(user.project_files(), std::set<std::string>{"m.json"});
  EXPECT_FALSE(std::filesystem::exists(user.cache()));
}

INSTANTIATE_TEST_SUITE_P(Cli, MatricesThatCannotRun, ::testing::ValuesIn(matrices_that_cannot_run),
                         [](const auto& test) { return test.param.name; });

struct BadCommand {
  const char* name;
  std::vector<std::string> arguments;
  const char* words;
};

class BadCommands : public ::testing::TestWithParam<BadCommand> {};

TEST_P(BadCommands, AreRefusedInOneSentence) {
  const User user;
  const auto answer = user.run(GetParam().arguments);
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, IsOneSentence(std::string(GetParam().words)));
  EXPECT_EQ(answer.output, "");
  EXPECT_THAT(user.project_files(), ::testing::IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(user.cache()));
}

INSTANTIATE_TEST_SUITE_P(
    Cli, BadCommands,
    ::testing::Values(
        BadCommand{"NoVerb", {}, "see assay --help"},
        BadCommand{"UnknownVerb", {"fly"}, "\"fly\" is not expected here; see assay --help"},
        BadCommand{"UnknownOption", {"--fly"}, "\"--fly\" is not expected here"},
        BadCommand{"UnknownOptionOfAVerb",
                   {"run", "m.json", "--fly"},
                   "\"--fly\" is not expected here; see assay run --help"},
        BadCommand{"UnknownVerbOfAVerb",
                   {"cache", "fly"},
                   "\"fly\" is not expected here; see assay cache --help"},
        BadCommand{"OneTooMany", {"plan", "a.json", "b.json"}, "\"b.json\" is not expected here"},
        BadCommand{"NoMatrix", {"run"}, "matrix is required; see assay run --help"},
        BadCommand{"NoMatrixToPlan", {"plan"}, "plan needs a matrix file"},
        BadCommand{"NoJobs", {"run", "m.json", "--jobs", "0"}, "--jobs: Value 0 not in range"},
        BadCommand{"NoTimeOfDay", {"run", "m.json", "--until", "noon"}, "\"noon\" is not a time"},
        BadCommand{
            "MissingMatrixFile", {"run", "none.json"}, "cannot read none.json: No such file"},
        BadCommand{"MissingMatrixFileToPlan", {"plan", "none.json"}, "cannot read none.json"},
        BadCommand{"AFolderAsMatrix", {"run", "."}, "cannot read .: Is a directory"},
        BadCommand{"MissingModel",
                   {"measure", "none.onnx", "--on", "virtual:stm32f405"},
                   "cannot read none.onnx"},
        BadCommand{"NoSuchBoard",
                   {"measure", "none.onnx", "--on", "f405-a"},
                   "no board \"f405-a\" in boards.json: it lists none; virtual boards are written"},
        BadCommand{"NoSuchPart",
                   {"measure", "none.onnx", "--on", "virtual:stm32f999"},
                   "unknown board type or part \"stm32f999\": known types are"},
        BadCommand{"NoStoreToReport", {"report", "m"}, "assay.db"},
        BadCommand{"NoStoreToList", {"results"}, "assay.db"},
        BadCommand{"NoDay", {"results", "--since", "yesterday"}, "\"yesterday\" is not a day"},
        BadCommand{"UnknownDataSetToFetch",
                   {"data", "fetch", "mnist-in-oil"},
                   "unknown data set 'mnist-in-oil'; known: fashion-mnist, mnist, cifar10"},
        BadCommand{"DataSetThatIsNotFetched",
                   {"data", "fetch", "fashion-mnist"},
                   "fashion-mnist is not fetched; assay data fetch brings mnist, cifar10"},
        BadCommand{"NothingToFetch", {"data", "fetch"}, "name is required"},
        BadCommand{"NoSuchKeyToPin", {"cache", "pin", "abc"}, "starts with \"abc\""}),
    [](const auto& test) { return test.param.name; });

TEST(BadInventory, IsRefusedByEveryVerbThatReadsIt) {
  const User user;
  user.write("boards.json", R"({"boards": [{"name": "a", "type": "stm32f405", "color": "red"}]})");
  user.write("m.json", R"({"name": "m", )" DEPLOYED "}");
  user.write("model.onnx", small_model());
  const auto files = user.project_files();
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"boards"},
                                             {"plan", "m.json"},
                                             {"run", "m.json"},
                                             {"measure", "model.onnx", "--on", "a"}}) {
    const auto answer = user.run(arguments);
    EXPECT_EQ(answer.exit_code, 2) << arguments[0];
    EXPECT_THAT(answer.errors, IsOneSentence(std::string("boards.json: boards[0]")))
        << arguments[0];
  }
  EXPECT_EQ(user.project_files(), files);
}

}  // namespace
}  // namespace assay::test
