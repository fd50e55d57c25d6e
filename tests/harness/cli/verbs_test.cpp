// Help, listings and a whole measurement, as a user meets them; nothing here trains.
#include <gtest/gtest.h>

#include "harness/core/json.hpp"
#include "harness/core/paths.hpp"
#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> verbs{"run",   "plan",      "measure", "boards", "results", "report",
                                     "bench", "calibrate", "cache",   "data",   "doctor"};

TEST(Help, OfTheProgramListsEveryVerbAndTheExitCodes) {
  const User user;
  const auto answer = user.run({"--help"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(answer.errors, "");
  for (const auto& verb : verbs)
    EXPECT_THAT(answer.output, HasSubstr("\n  " + verb + " "));
  EXPECT_THAT(answer.output, HasSubstr("130 interrupted"));
}

TEST(Help, OfEveryVerbShowsAnExampleOfIt) {
  const User user;
  for (const auto& verb : verbs) {
    const auto answer = user.run({verb, "--help"});
    EXPECT_EQ(answer.exit_code, 0) << verb;
    EXPECT_THAT(answer.output, HasSubstr("Example:\n  assay " + verb)) << verb;
    EXPECT_THAT(answer.output, HasSubstr("Exit codes: 0 done")) << verb;
  }
  EXPECT_THAT(user.project_files(), ::testing::IsEmpty());
}

Json parsed(const User& user, const std::vector<std::string>& arguments, int exit_code = 0) {
  const auto answer = user.run(arguments);
  EXPECT_EQ(answer.exit_code, exit_code) << arguments[0] << ": " << answer.errors;
  Json json = Json::parse(answer.output, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << arguments[0] << ": " << answer.output;
  return json;
}

TEST(Listings, AreJsonBeforeThereIsAnything) {
  const User user;
  EXPECT_EQ(parsed(user, {"boards", "--json"}), Json::array());
  EXPECT_EQ(parsed(user, {"cache", "du", "--json"}).at("kinds"), Json::object());
  for (const Json& type : parsed(user, {"boards", "--types", "--json"}))
    EXPECT_GT(type.at("flash_bytes"), 0) << type;
  for (const Json& finding : parsed(user, {"doctor", "--json"}, can_train() ? 0 : 3))
    EXPECT_TRUE(finding.at("detail").is_string()) << finding;
  EXPECT_TRUE(parsed(user, {"plan", "--schema"}).contains("properties"));
}

TEST(Output, ThatNobodyReadsToItsEndEndsQuietly) {
  const User user;
  ProcessSpec spec = user.command({});
  spec.arguments = {"sh", "-c",
                    "\"$1\" boards --types --json | true; \"$1\" plan --schema | head -c 1", "sh",
                    own_program("assay").string()};
  const auto outcome = run_process(spec);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 0);
  EXPECT_EQ(outcome->output, "{");
  EXPECT_EQ(outcome->errors, "");
}

TEST(Plan, AsJsonNamesCellsAndStagesAndLeavesNothingBehind) {
  const User user;
  user.write("m.json", R"({"name": "m", "sweep": {"student.cut": [5, 4]}, "deploy": {"on": [
      {"board_type": "stm32f405", "virtual": true}, {"board_type": "stm32f030cc"}]}})");
  const Json plan = parsed(user, {"plan", "m.json", "--json"});
  EXPECT_EQ(plan.at("cells").size(), 4U);
  EXPECT_GT(plan.at("estimated_seconds"), 0);
  for (const Json& stage : plan.at("stages"))
    EXPECT_EQ(stage.at("cached"), false) << stage;
  EXPECT_EQ(user.project_files(), std::set<std::string>{"m.json"});
}

TEST(Measure, ToldInJsonIsWhatTheListingsTellLater) {
  const User user;
  user.write("boards.json",
             R"({"boards": [{"name": "desk-a", "type": "stm32f030cc", "virtual": true}]})");
  user.write("model.onnx", small_model());
  EXPECT_EQ(parsed(user, {"boards", "--json"}).at(0).at("name"), "desk-a");

  const std::vector<std::string> measure{"measure", "model.onnx", "--on", "desk-a",
                                         "--json",  "--samples",  "8"};
  const Json record = parsed(user, measure).at("records").at(0);
  EXPECT_EQ(record.at("verdict"), "pass");
  EXPECT_EQ(record.at("board"), "desk-a");
  EXPECT_EQ(record.at("metrics").at("samples_confirmed").at("value"), 8);
  EXPECT_EQ(parsed(user, {"results", "--json"}).at("records"), Json::array({record}));
  const Json kinds = parsed(user, {"cache", "du", "--json"}).at("kinds");
  EXPECT_EQ(kinds.at("firmware").at("results"), 1);
  EXPECT_EQ(kinds.at("evaluate").at("results"), 1);

  // Once more: nothing is built, and the record stays the only one.
  const auto stages = user.stages();
  const auto again = user.run(measure);
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_EQ(user.stages(), stages);
  EXPECT_EQ(parsed(user, {"results", "--json"}).at("records").size(), 1U);
  EXPECT_THAT(user.processes(), ::testing::IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(user.temporary()));
}

// A part whose core the engine lacks runs on one with the same instructions, and the record says
// so.
TEST(Measure, SaysWhichCoreExecutedIt) {
  const User user;
  user.write("model.onnx", small_model());
  struct Executed {
    const char* part;
    const char* as;
  };
  for (const Executed& executed :
       {Executed{"stm32g0b1", "cortex-m0"}, Executed{"stm32u575", "cortex-m33"}}) {
    const Json record =
        parsed(user, {"measure", "model.onnx", "--on", std::string("virtual:") + executed.part,
                      "--json", "--samples", "8"})
            .at("records")
            .at(0);
    EXPECT_EQ(record.at("verdict"), "pass") << executed.part;
    EXPECT_EQ(record.at("metrics").at("samples_confirmed").at("value"), 8) << executed.part;
    EXPECT_EQ(record.at("environment").at("board").at("executed_as"), executed.as);
  }
}

}  // namespace
}  // namespace assay::test
