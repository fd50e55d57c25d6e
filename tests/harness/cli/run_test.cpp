// A small matrix on real data, run undisturbed once and then in every way a run can be disturbed:
// the same table comes out, and nothing is half done, lost or doubled on the way.
#include <gtest/gtest.h>
#include <signal.h>

#include <fmt/format.h>
#include <cstdlib>
#include <ctime>
#include <random>
#include <thread>

#include "harness/core/json.hpp"
#include "results/store.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* matrix = R"({
  "name": "small",
  "base": {"train": {"epochs": 1, "images": 600}, "student": {"fewer_filters_pct": 50}},
  "sweep": {"student.cut": [5, 4]},
  "deploy": {"on": [{"board_type": "stm32f405", "virtual": true},
                    {"board_type": "stm32f030cc", "virtual": true}], "samples": 20}})";
constexpr std::size_t cells = 4;

/// What every finished stage of a kind holds.
const std::map<std::string, std::set<std::string>> whole_stages{
    {"train", {"model.onnx", "training.json", "log.json", "sums.json"}},
    {"evaluate-torch", {"evaluation.json", "log.json", "sums.json"}},
    {"quantize", {"model.onnx", "quantization.json", "log.json", "sums.json"}},
    {"evaluate", {"logits.bin", "evaluation.json", "sums.json"}},
    {"trial", {"trial.json", "sums.json"}},
    {"firmware",
     {"model.cpp", "board.cpp", "firmware.ld", "firmware.elf", "firmware.map", "firmware.json",
      "sums.json"}},
};

User user_with_matrix() {
  User user;
  user.write("small.json", matrix);
  return user;
}

std::vector<Record> records_of(const User& user) {
  if (!fs::exists(user.project() / "assay.db")) return {};
  auto store = Store::open(user.project() / "assay.db", Store::Mode::must_exist);
  EXPECT_TRUE(store) << store.error().message;
  auto records = store->query();
  EXPECT_TRUE(records) << records.error().message;
  return records.value_or(std::vector<Record>{});
}

/// Everything a record says, but for when it was made and how long that took.
Json lasting(const Record& record) {
  Json json = to_json(record);
  json.erase("recorded_at");
  json["metrics"].erase("train_seconds");
  for (const char* name : {"flash_ms", "boot_ms", "retransmissions"})
    json["environment"]["board"].erase(name);
  return json;
}

/// The records by key; each key once.
Json table_of(const User& user) {
  Json table = Json::object();
  for (const auto& record : records_of(user)) {
    EXPECT_FALSE(table.contains(record.measurement_key)) << record.label;
    table[record.measurement_key] = lasting(record);
  }
  return table;
}

void expect_no_half_stage(const User& user) {
  for (const auto& [stage, files] : user.stages())
    EXPECT_EQ(files, whole_stages.at(stage.substr(0, stage.find('/')))) << stage;
}

std::map<std::string, std::string> models_of(const User& user) {
  std::map<std::string, std::string> models;
  for (const auto& [stage, files] : user.stages())
    if (files.contains("model.onnx"))
      models[stage] = read_text(user.cache() / stage / "model.onnx").value();
  return models;
}

void expect_nobody_left(const User& user) {
  EXPECT_TRUE(eventually(seconds(10), [&] { return user.processes().empty(); }))
      << ::testing::PrintToString(user.processes());
}

class Run : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    undisturbed_ = new User(user_with_matrix());
    const auto answer = undisturbed_->run({"run", "small.json"});
    ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  }
  static void TearDownTestSuite() {
    delete undisturbed_;
    undisturbed_ = nullptr;
  }

  /// Finishes a disturbed run and compares it with the undisturbed one.
  static void expect_same_outcome(const User& user) {
    const auto answer = user.run({"run", "small.json"});
    ASSERT_EQ(answer.exit_code, 0) << answer.errors;
    EXPECT_EQ(Json::diff(table_of(*undisturbed_), table_of(user)), Json::array());
    EXPECT_EQ(user.stages(), undisturbed_->stages());
    EXPECT_EQ(models_of(user), models_of(*undisturbed_));  // one seed, the same bytes
    expect_no_half_stage(user);
    expect_nobody_left(user);
  }

  static User* undisturbed_;
};

User* Run::undisturbed_ = nullptr;

TEST_F(Run, MeasuresEveryCellOnceAndLeavesNobodyBehind) {
  EXPECT_EQ(records_of(*undisturbed_).size(), cells);
  for (const auto& record : records_of(*undisturbed_))
    EXPECT_EQ(record.verdict, Verdict::pass) << record.verdict_detail;
  expect_no_half_stage(*undisturbed_);
  EXPECT_EQ(undisturbed_->stages().size(), 16U);
  EXPECT_THAT(undisturbed_->scratch(), ::testing::IsEmpty());
  EXPECT_THAT(undisturbed_->processes(), ::testing::IsEmpty());
  EXPECT_TRUE(fs::is_empty(undisturbed_->temporary()));
  for (const char* format : {"index.html", "table.csv", "table.md", "table.tex", "records.json"})
    EXPECT_TRUE(
        undisturbed_->project_files().contains(std::string("assay-out/small/report/") + format))
        << format;
}

/// A PATH with no programs but the two compilers, whose builds are part of keys: all that assay can
/// do then is look things up.
class OnlyCompilers {
 public:
  OnlyCompilers() {
    for (const char* name : {"g++", "arm-none-eabi-g++"})
      fs::create_symlink(find_program(name).value(), folder_.project() / name);
  }
  std::string path() const { return folder_.project().string(); }

 private:
  User folder_;
};

TEST_F(Run, WarmNeedsNoWorkerNoBoardAndNoTool) {
  const OnlyCompilers tools;
  const auto cold = undisturbed_->project_files();
  const auto warm = undisturbed_->run({"run", "small.json"},
                                      {{"PATH", tools.path()}, {"ASSAY_BUILD", "/nowhere"}});
  EXPECT_EQ(warm.exit_code, 0);
  EXPECT_EQ(warm.errors, "");
  EXPECT_THAT(warm.output, ::testing::HasSubstr("cut4-width50"));
  EXPECT_EQ(undisturbed_->project_files(), cold);
  EXPECT_EQ(records_of(*undisturbed_).size(), cells);
}

TEST_F(Run, IsPlannedAsCachedAfterwards) {
  const auto answer = undisturbed_->run({"plan", "small.json", "--json"});
  const Json plan = Json::parse(answer.output, nullptr, false);
  ASSERT_FALSE(plan.is_discarded()) << answer.output;
  EXPECT_EQ(plan.at("estimated_seconds"), 0);
  EXPECT_EQ(plan.at("stages").size(), 16U);
  for (const Json& stage : plan.at("stages"))
    EXPECT_EQ(stage.at("cached"), true) << stage;
  for (const Json& cell : plan.at("cells"))
    EXPECT_EQ(cell.at("measured"), true) << cell;
}

TEST_F(Run, IsListedInJson) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"run", "small.json", "--json"}, {"results", "--matrix", "small", "--json"}}) {
    const auto answer = undisturbed_->run(arguments);
    const Json json = Json::parse(answer.output, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << answer.output;
    EXPECT_EQ(json.at("records").size(), cells);
  }
}

TEST_F(Run, OfAnotherMatrixWithTheSameCellsReportsTheirRecords) {
  std::string other = matrix;
  other.replace(other.find("small"), 5, "other");
  undisturbed_->write("other.json", other);
  const OnlyCompilers tools;
  const auto warm = undisturbed_->run({"run", "other.json"}, {{"PATH", tools.path()}});
  EXPECT_EQ(warm.exit_code, 0) << warm.errors;
  for (const char* name : {"small", "other"}) {
    const auto answer = undisturbed_->run({"results", "--matrix", name, "--json"});
    const Json json = Json::parse(answer.output, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << answer.output;
    EXPECT_EQ(json.at("records").size(), cells) << name;
    EXPECT_EQ(undisturbed_->run({"report", name}).exit_code, 0) << name;
  }
  EXPECT_EQ(records_of(*undisturbed_).size(), cells);
}

/// Sends Ctrl-C once a process of that name works for the user, and waits for the end.
void interrupt_when_running(const User& user, const std::string& process) {
  auto run = user.start({"run", "small.json"});
  const bool met =
      eventually(seconds(60), [&] { return !run.running() || user.processes().contains(process); });
  ASSERT_TRUE(met && run.running()) << process << " never ran: " << user.errors_so_far();
  ::kill(run.pid(), SIGINT);
  EXPECT_TRUE(eventually(seconds(10), [&] { return !run.running(); })) << process;
  EXPECT_EQ(run.stop(), 130) << process;
  EXPECT_THAT(user.errors_so_far(), ::testing::HasSubstr("assay: interrupted; finished stages"));
  expect_nobody_left(user);
  expect_no_half_stage(user);
  EXPECT_THAT(user.scratch(), ::testing::IsEmpty()) << process;
  EXPECT_TRUE(fs::is_empty(user.temporary())) << process;
}

TEST_F(Run, InterruptedCarriesOn) {
  const auto user = user_with_matrix();
  interrupt_when_running(user, "assay-train");
  EXPECT_THAT(records_of(user), ::testing::IsEmpty());
  interrupt_when_running(user, "openocd");
  EXPECT_LT(records_of(user).size(), cells);
  expect_same_outcome(user);
}

TEST_F(Run, InPartsIsTheWhole) {
  const auto user = user_with_matrix();
  const auto nothing = user.run({"run", "small.json", "--only", "seed=7"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.errors, IsOneSentence(std::string("no cell of small.json has seed=7")));
  EXPECT_THAT(user.stages(), ::testing::IsEmpty());
  const auto part = user.run({"run", "small.json", "--only", "student.cut=5"});
  EXPECT_EQ(part.exit_code, 0) << part.errors;
  EXPECT_EQ(records_of(user).size(), cells / 2);
  EXPECT_THAT(part.output, ::testing::Not(::testing::HasSubstr("cut4")));
  expect_same_outcome(user);
}

TEST_F(Run, StopsAtTheTimeOfDayAndCarriesOn) {
  const auto user = user_with_matrix();
  // A time zone of the user's own, in which it is four seconds to six.
  const auto second_of_day = std::time(nullptr) % 86400;
  const auto east = 6 * 3600 - 4 - second_of_day;
  const auto hours = std::abs(east) / 3600;
  const std::string zone = fmt::format("UTC{}{}:{:02}:{:02}", east < 0 ? '+' : '-', hours,
                                       std::abs(east) / 60 % 60, std::abs(east) % 60);
  const auto answer = user.run({"run", "small.json", "--until", "06:00"}, {{"TZ", zone}});
  EXPECT_EQ(answer.exit_code, 130);
  EXPECT_THAT(answer.errors,
              ::testing::ContainsRegex("assay: stopped at 06:00 with [1-4] cells not measured; run "
                                       "again to carry on\n$"));
  expect_no_half_stage(user);
  expect_nobody_left(user);
  expect_same_outcome(user);
}

int kill_moments() {
  const char* wanted = std::getenv("ASSAY_KILL_MOMENTS");
  return wanted ? std::atoi(wanted) : 4;
}

TEST_F(Run, KilledAtAnyMomentCarriesOn) {
  const auto user = user_with_matrix();
  std::mt19937 random(20);
  // A moment is so many cached stages and records later, and then some time into the next ones.
  std::uniform_int_distribution<int> delay(0, 1500);
  const int moments = kill_moments();
  int killed = 0;
  for (int moment = 0; moment < moments; ++moment) {
    const std::size_t progress =
        (16 + cells) * static_cast<std::size_t>(moment) / static_cast<std::size_t>(moments);
    auto run = user.start({"run", "small.json"});
    eventually(seconds(60), [&] {
      return !run.running() || user.stages().size() + records_of(user).size() >= progress;
    });
    eventually(milliseconds(delay(random)), [&] { return !run.running(); });
    if (run.running()) ::kill(run.pid(), SIGKILL);
    const int code = run.stop();
    killed += code == 128 + SIGKILL;
    SCOPED_TRACE(testing::Message() << "moment " << moment << ", exit code " << code);
    expect_nobody_left(user);
    expect_no_half_stage(user);
    EXPECT_LE(table_of(user).size(), cells);
  }
  EXPECT_GE(2 * killed, moments);  // the others came after the end
  expect_same_outcome(user);
}

}  // namespace
}  // namespace assay::test
