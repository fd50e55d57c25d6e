// Models, boards, data and tools that will not do, met by `assay measure` and `assay run`.
#include <gtest/gtest.h>

#include "harness/core/paths.hpp"
#include "results/store.hpp"
#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* matrix = R"({
  "name": "m", "base": {"train": {"epochs": 1, "images": 640}},
  "deploy": {"on": [{"board_type": "stm32f405", "virtual": true}], "samples": 4}})";

const std::vector<std::string> measure{"measure", "model.onnx", "--on", "virtual:stm32f405"};

/// The verbs that need a machine in order, with what they work on. A build without training
/// (ASSAY_TRAIN=OFF) refuses every `run`, so there is nothing else to be refused.
std::vector<std::vector<std::string>> working_verbs() {
  if (!can_train()) return {measure};
  return {measure, {"run", "m.json"}};
}

/// A user with a model and a matrix that are right.
User equipped_user() {
  User user;
  user.write("model.onnx", small_model());
  user.write("m.json", matrix);
  return user;
}

void expect_refusal(const User& user, const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment, int exit_code,
                    const std::string& words) {
  const auto files = user.project_files();
  const auto answer = user.run(arguments, environment);
  EXPECT_EQ(answer.exit_code, exit_code) << arguments[0];
  EXPECT_THAT(answer.errors, IsOneSentence(words)) << arguments[0];
  EXPECT_EQ(answer.output, "") << arguments[0];
  EXPECT_EQ(user.project_files(), files) << arguments[0];
  EXPECT_THAT(user.stages(), ::testing::IsEmpty()) << arguments[0];
  EXPECT_THAT(user.scratch(), ::testing::IsEmpty()) << arguments[0];
  EXPECT_TRUE(fs::is_empty(user.temporary())) << arguments[0];
}

TEST(MissingData, IsNamedBeforeAnythingIsDone) {
  const auto user = equipped_user();
  const std::map<std::string, std::string> environment{{"ASSAY_DATA", user.temporary().string()}};
  for (const auto& verb : working_verbs())
    expect_refusal(user, verb, environment, 2,
                   "-ubyte.gz is missing: install the Debian package dataset-fashion-mnist");
}

TEST(DataWithAWrongChecksum, IsNamedBeforeAnythingIsDone) {
  const auto user = equipped_user();
  const User folder;
  const fs::path original = "/usr/share/datasets/fashion-mnist";
  const auto copy = folder.project() / "fashion-mnist";
  fs::create_directory(copy);
  for (const auto& file : fs::directory_iterator(original))
    fs::create_symlink(file, copy / file.path().filename());
  auto images = read_text(original / "t10k-images-idx3-ubyte.gz").value();
  images[images.size() / 2] ^= 1;  // one flipped bit
  fs::remove(copy / "t10k-images-idx3-ubyte.gz");
  folder.write("fashion-mnist/t10k-images-idx3-ubyte.gz", images);
  const std::map<std::string, std::string> environment{{"ASSAY_DATA", folder.project().string()}};
  for (const auto& verb : working_verbs())
    expect_refusal(user, verb, environment, 2,
                   "t10k-images-idx3-ubyte.gz is damaged or another version: SHA-256 is");
}

/// A PATH with everything the system has, but for one program.
class PathWithout {
 public:
  explicit PathWithout(const std::string& program) {
    for (const auto& file : fs::directory_iterator("/usr/bin"))
      if (file.path().filename() != program)
        fs::create_symlink(file, user_.project() / file.path().filename());
  }
  std::map<std::string, std::string> environment() const {
    return {{"PATH", user_.project().string()}};
  }

 private:
  User user_;
};

TEST(MissingTools, AreNamedWithTheirPackageBeforeAnythingIsDone) {
  for (const char* program : {"openocd", "arm-none-eabi-g++", "g++"}) {
    const auto user = equipped_user();
    const PathWithout path(program);
    for (const auto& verb : working_verbs())
      expect_refusal(user, verb, path.environment(), 3,
                     std::string(program) + " is not installed: install the Debian package");
  }
}

struct BadPlace {
  const char* name;
  const char* option;
  const char* path;
  int exit_code;
  const char* words;
};

class PlacesThatCannotBeWritten : public ::testing::TestWithParam<BadPlace> {};

// Root may write where others may not, so these are places that nobody can write.
TEST_P(PlacesThatCannotBeWritten, AreNamed) {
  const auto user = equipped_user();
  for (auto arguments : working_verbs()) {
    arguments.insert(arguments.end(), {GetParam().option, GetParam().path});
    expect_refusal(user, arguments, {}, GetParam().exit_code, GetParam().words);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cli, PlacesThatCannotBeWritten,
    ::testing::Values(BadPlace{"StoreBelowAFile", "--store", "m.json/assay.db", 3, "m.json"},
                      BadPlace{"StoreInProc", "--store", "/proc/assay.db", 3, "/proc/assay.db"},
                      BadPlace{"StoreThatIsAFolder", "--store", ".", 2, "it is a folder"},
                      BadPlace{"StoreThatIsNoDatabase", "--store", "m.json", 2, "m.json"},
                      BadPlace{"CacheBelowAFile", "--cache", "m.json/cache", 3, "m.json/cache"},
                      BadPlace{"CacheInProc", "--cache", "/proc/cache", 3, "/proc/cache"}),
    [](const auto& test) { return test.param.name; });

struct BadModel {
  const char* name;
  std::string (*content)();
  const char* words;
};

std::string words_of_someone() {
  return "I am not a model.";
}

std::string half_a_model() {
  const auto whole = small_model();
  return whole.substr(0, whole.size() / 2);
}

std::string nothing() {
  return "";
}

class BadModels : public ::testing::TestWithParam<BadModel> {};

TEST_P(BadModels, AreRefusedByName) {
  const User user;
  user.write("model.onnx", GetParam().content());
  expect_refusal(user, measure, {}, 2, std::string("model.onnx: ") + GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    Cli, BadModels,
    ::testing::Values(BadModel{"NotOnnx", words_of_someone, "is not an ONNX model"},
                      BadModel{"Truncated", half_a_model, "is not an ONNX model"},
                      BadModel{"Empty", nothing, ""}),
    [](const auto& test) { return test.param.name; });

struct BigModel {
  const char* name;
  std::string (*content)(int);
  int size;
  const char* part;
  const char* region;
};

class ModelsThatDoNotFit : public ::testing::TestWithParam<BigModel> {};

TEST_P(ModelsThatDoNotFit, AreAVerdictWithRegionAndBytes) {
  const User user;
  user.write("model.onnx", GetParam().content(GetParam().size));
  const auto answer =
      user.run({"measure", "model.onnx", "--on", std::string("virtual:") + GetParam().part});
  EXPECT_EQ(answer.exit_code, 5);
  EXPECT_THAT(answer.errors,
              IsOneSentence(std::string("does not fit: region ") + GetParam().region));
  EXPECT_THAT(answer.errors, ::testing::ContainsRegex(" overflows by [1-9][0-9 ]* bytes"));

  auto store = Store::open(user.project() / "assay.db", Store::Mode::must_exist);
  ASSERT_TRUE(store) << store.error().message;
  const auto records = store->query();
  ASSERT_TRUE(records && records->size() == 1);
  EXPECT_EQ(records->front().verdict, Verdict::fail);
  EXPECT_EQ("assay: " + records->front().verdict_detail + "\n", answer.errors);
  EXPECT_FALSE(records->front().metrics.contains("latency_us"));
  EXPECT_THAT(user.scratch(), ::testing::IsEmpty());
  EXPECT_TRUE(fs::is_empty(user.temporary()));
}

INSTANTIATE_TEST_SUITE_P(
    Cli, ModelsThatDoNotFit,
    ::testing::Values(BigModel{"Flash", wide_model, 400, "stm32f030cc", "FLASH"},
                      BigModel{"Ram", deep_image_model, 48, "stm32f030cc", "RAM"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace assay::test
