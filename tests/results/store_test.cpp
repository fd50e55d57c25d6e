#include "results/store.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <thread>

#include "harness/core/file.hpp"
#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = ScratchDirectory::create(::testing::TempDir(), "store-");
    ASSERT_TRUE(folder) << folder.error().message;
    folder_ = std::make_unique<ScratchDirectory>(std::move(*folder));
  }
  Store open(const std::string& name = "assay.db") {
    auto store = Store::open(folder_->path() / name);
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }
  std::unique_ptr<ScratchDirectory> folder_;
};

std::vector<std::string> labels(const std::vector<Record>& records) {
  std::vector<std::string> found;
  for (const auto& record : records)
    found.push_back(record.label);
  return found;
}

TEST_F(StoreTest, KeepsEveryFieldOfEveryRecordAcrossReopening) {
  const auto written = test::sample_records(2);
  {
    Store store = open();
    for (const auto& record : written)
      ASSERT_EQ(store.insert(record).value(), InsertOutcome::added);
  }
  Store store = open();
  const auto read = store.query().value();
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i)
    EXPECT_EQ(to_json(read[i]), to_json(written[i]));
}

TEST_F(StoreTest, KeepsAwkwardTextByteForByte) {
  using namespace std::string_literals;
  const std::string awkward[] = {"'; DROP TABLE records; --"s,
                                 "\"quoted\" and 'quoted'"s,
                                 "line\nbreak\ttab\r"s,
                                 "naïve 猫 \U0001f408"s,
                                 "zero \0 inside"s,
                                 ":name ?1 $x %s {}"s,
                                 "  spaces  "s,
                                 "\xff\xfe not UTF-8"s,
                                 ""s,
                                 "-1e5"s};
  Store store = open();
  int number = 0;
  for (const auto& text : awkward) {
    Record record = test::sample_records().front();
    record.measurement_key = fmt::format("key {}", number++);
    record.label = record.board = record.verdict_detail = record.command = text;
    ASSERT_TRUE(store.insert(record)) << text;
    const auto found = store.find(record.measurement_key).value();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->label, text);
    EXPECT_EQ(found->verdict_detail, text);
    EXPECT_EQ(found->command, text);
  }
}

TEST_F(StoreTest, FindsARecordUnderAnAwkwardKey) {
  Store store = open();
  Record record = test::sample_records().front();
  record.measurement_key = "it's \"one\" key";
  ASSERT_TRUE(store.insert(record));
  EXPECT_TRUE(store.find(record.measurement_key).value().has_value());
  EXPECT_FALSE(store.find("it's another").value().has_value());
}

TEST_F(StoreTest, KeepsDoublesBitForBit) {
  using Limits = std::numeric_limits<double>;
  const std::vector<double> values{0.1,
                                   1.0 / 3,
                                   -0.0,
                                   0.0,
                                   Limits::max(),
                                   Limits::min(),
                                   Limits::denorm_min(),
                                   -1e300,
                                   9007199254740993.0,
                                   std::numbers::pi,
                                   std::nextafter(1.0, 2.0),
                                   42.0};
  Record record = test::sample_records().front();
  for (std::size_t i = 0; i < values.size(); ++i)
    record.metrics[fmt::format("m{}", i)] = {values[i], "", Provenance::measured, {}};
  record.metrics["samples"] = {1, "us", Provenance::measured, values};
  Store store = open();
  ASSERT_TRUE(store.insert(record));
  const auto found = store.find(record.measurement_key).value().value();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = found.metrics.at(fmt::format("m{}", i)).value;
    EXPECT_EQ(std::memcmp(&value, &values[i], sizeof value), 0) << values[i];
  }
  const auto& samples = found.metrics.at("samples").samples;
  ASSERT_EQ(samples.size(), values.size());
  EXPECT_EQ(std::memcmp(samples.data(), values.data(), values.size() * sizeof(double)), 0);
}

TEST_F(StoreTest, AnUnknownMetricStaysUnknown) {
  Record record = test::sample_records().front();
  record.metrics.erase("ram_bytes");
  Store store = open();
  ASSERT_TRUE(store.insert(record));
  EXPECT_FALSE(store.find(record.measurement_key).value()->metrics.contains("ram_bytes"));
}

TEST_F(StoreTest, RefusesAFigureThatIsNotFinite) {
  Store store = open();
  for (const double bad : {std::nan(""), HUGE_VAL}) {
    Record value = test::sample_records().front();
    value.metrics["latency_us"].value = bad;
    Record sample = test::sample_records().front();
    sample.metrics["latency_us"].samples = {1, bad};
    for (const auto& record : {value, sample}) {
      const auto outcome = store.insert(record);
      ASSERT_FALSE(outcome);
      EXPECT_EQ(outcome.error().kind, ErrorKind::bad_input);
      EXPECT_THAT(outcome.error().message, HasSubstr("latency_us"));
    }
  }
  EXPECT_TRUE(store.query().value().empty());
}

TEST_F(StoreTest, RefusesARecordWithoutKeyOrWithBrokenJsonText) {
  Store store = open();
  Record keyless = test::sample_records().front();
  keyless.measurement_key.clear();
  Record broken = test::sample_records().front();
  broken.config["note"] = "\xff";
  for (const auto& record : {keyless, broken}) {
    const auto outcome = store.insert(record);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::bad_input) << outcome.error().message;
  }
  EXPECT_TRUE(store.query().value().empty());
}

TEST_F(StoreTest, TheSameKeyTwiceChangesNothing) {
  Store store = open();
  Record record = test::sample_records().front();
  ASSERT_EQ(store.insert(record).value(), InsertOutcome::added);
  Record second = record;
  second.label = "another";
  second.metrics.clear();
  EXPECT_EQ(store.insert(second).value(), InsertOutcome::existed);
  const auto all = store.query().value();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(to_json(all.front()), to_json(record));
}

struct Replacing {
  Verdict first;
  Verdict second;
  InsertOutcome outcome;
  bool again = false;
};

class ReplacingTest : public StoreTest, public ::testing::WithParamInterface<Replacing> {};

TEST_P(ReplacingTest, OnlyAnInfraRowAndAFailThatIsMeasuredAgainGiveWay) {
  const auto& [first, second, expected, again] = GetParam();
  Store store = open();
  Record record = test::sample_records().front();
  record.verdict = first;
  ASSERT_TRUE(store.insert(record));
  record.verdict = second;
  record.metrics = {{"macc", {7, "", Provenance::counted, {}}}};
  EXPECT_EQ(store.insert(record, again).value(), expected);
  const auto all = store.query().value();
  ASSERT_EQ(all.size(), 1u);
  const bool replaced = expected == InsertOutcome::replaced;
  EXPECT_EQ(all.front().verdict, replaced ? second : first);
  EXPECT_EQ(all.front().metrics.size() == 1, replaced);
}

INSTANTIATE_TEST_SUITE_P(
    Verdicts, ReplacingTest,
    ::testing::Values(Replacing{Verdict::infra, Verdict::pass, InsertOutcome::replaced},
                      Replacing{Verdict::infra, Verdict::fail, InsertOutcome::replaced},
                      Replacing{Verdict::infra, Verdict::infra, InsertOutcome::existed},
                      Replacing{Verdict::fail, Verdict::pass, InsertOutcome::existed},
                      Replacing{Verdict::pass, Verdict::infra, InsertOutcome::existed},
                      Replacing{Verdict::fail, Verdict::pass, InsertOutcome::replaced, true},
                      Replacing{Verdict::fail, Verdict::fail, InsertOutcome::replaced, true},
                      Replacing{Verdict::fail, Verdict::infra, InsertOutcome::existed, true},
                      Replacing{Verdict::pass, Verdict::fail, InsertOutcome::existed, true}));

TEST_F(StoreTest, AnswersEveryFilter) {
  Store store = open();
  auto records = test::sample_records();
  records[3].verdict = Verdict::fail;
  records[6].matrix = "night";
  records[6].recorded_at = "2026-02-03T01:00:00Z";
  for (const auto& record : records)
    ASSERT_TRUE(store.insert(record));
  struct Case {
    const char* name;
    Filter filter;
    std::vector<int> expected;
  };
  const auto& r = records;
  const Case cases[] = {
      {"nothing", {}, {0, 1, 2, 3, 4, 5, 6, 7}},
      {"matrix", {.matrix = "night"}, {6}},
      {"label", {.label = r[1].label}, {1, 5}},
      {"cell", {.cell_id = r[2].cell_id}, {2}},
      {"group", {.group_id = r[0].group_id}, {0, 4}},
      {"board type", {.board_type = "stm32f030-demo"}, {4, 5, 6, 7}},
      {"board", {.board = "f405-a"}, {0, 1, 2, 3}},
      {"verdict", {.verdict = Verdict::fail}, {3}},
      {"since a day", {.since = "2026-02-01"}, {6}},
      {"since a moment", {.since = r[0].recorded_at}, {0, 1, 2, 3, 4, 5, 6, 7}},
      {"two fields", {.board = "f405-a", .verdict = Verdict::pass}, {0, 1, 2}},
      {"no match", {.matrix = "demo' OR '1' = '1"}, {}},
  };
  for (const auto& c : cases) {
    const auto found = store.query(c.filter).value();
    ASSERT_EQ(found.size(), c.expected.size()) << c.name;
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_EQ(to_json(found[i]), to_json(r[static_cast<std::size_t>(c.expected[i])])) << c.name;
  }
}

TEST_F(StoreTest, FindsManyKeysAtOnce) {
  Store store = open();
  auto records = test::sample_records(5);
  records[7].metrics.clear();
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_TRUE(store.insert(records[i]));
    keys.resize(keys.size() + 100, "not there");  // several queries' worth
    if (i % 2 == 1) keys.push_back(records[i].measurement_key);
  }
  keys.push_back(keys.back());  // asked for twice
  const auto found = store.find_all(keys).value();
  ASSERT_EQ(found.size(), records.size() / 2);
  for (std::size_t i = 1; i < records.size(); i += 2)
    EXPECT_EQ(to_json(found.at(records[i].measurement_key)), to_json(records[i]));
  EXPECT_TRUE(store.find_all({}).value().empty());
  EXPECT_TRUE(store.find_all(std::vector<std::string>{"' OR '1' = '1"}).value().empty());
}

TEST_F(StoreTest, ARecordBelongsToEveryMatrixThatNotesIt) {
  Store store = open();
  const auto records = test::sample_records();  // measured by the matrix "demo"
  for (const auto& record : records)
    ASSERT_TRUE(store.insert(record));
  const std::vector<std::string> keys{records[1].measurement_key, records[5].measurement_key};
  ASSERT_TRUE(store.note_run("night", keys, {{"teacher_accuracy", 91.5}}));
  EXPECT_EQ(labels(store.query({.matrix = "night"}).value()), labels({records[1], records[5]}));
  EXPECT_EQ(labels(store.query({.matrix = "night", .board = "f405-a"}).value()),
            labels({records[1]}));
  EXPECT_EQ(store.query({.matrix = "night"}).value().front().metrics.size(),
            records[1].metrics.size());
  EXPECT_EQ(store.query({.matrix = "demo"}).value().size(), records.size());
  ASSERT_TRUE(store.note_run("night", {&records[0].measurement_key, 1}, {}));
  EXPECT_EQ(store.query({.matrix = "night"}).value().size(), 3u);  // beside the ones before
}

TEST_F(StoreTest, ARecordThatReplacesAnInfraOneKeepsItsMatrices) {
  Store store = open();
  Record record = test::sample_records().front();
  record.verdict = Verdict::infra;
  ASSERT_TRUE(store.insert(record));
  ASSERT_TRUE(store.note_run("night", {&record.measurement_key, 1}, {}));
  record.verdict = Verdict::pass;
  ASSERT_EQ(store.insert(record).value(), InsertOutcome::replaced);
  EXPECT_EQ(store.query({.matrix = "night"}).value().size(), 1u);
}

TEST_F(StoreTest, KnowsTheLastRunOfAMatrix) {
  Store store = open();
  EXPECT_TRUE(store.run_context("demo").value().is_null());
  ASSERT_TRUE(store.note_run("demo", {}, {{"command", "assay run 'demo'.json"}}));
  ASSERT_TRUE(store.note_run("night", {}, {{"command", "assay run night.json"}}));
  ASSERT_TRUE(store.note_run("demo", {}, {{"command", "assay run demo.json"}}));
  EXPECT_EQ(store.run_context("demo").value(), Json({{"command", "assay run demo.json"}}));
}

TEST_F(StoreTest, MergesTheMatricesOfRecords) {
  Store here = open("here.db");
  Store there = open("there.db");
  const auto records = test::sample_records();
  for (const int i : {0, 1}) {
    ASSERT_TRUE(here.insert(records[0]));
    ASSERT_TRUE(there.insert(records[static_cast<std::size_t>(i)]));
  }
  const std::vector<std::string> keys{records[0].measurement_key, records[1].measurement_key};
  ASSERT_TRUE(here.note_run("demo", {}, {{"command", "ours"}}));
  ASSERT_TRUE(there.note_run("demo", {}, {{"command", "theirs"}}));
  ASSERT_TRUE(there.note_run("night", keys, {{"command", "assay run night.json"}}));
  ASSERT_TRUE(here.merge(there));
  EXPECT_EQ(here.query({.matrix = "night"}).value().size(), 2u);
  EXPECT_EQ(here.run_context("demo").value().at("command"), "ours");
  EXPECT_EQ(here.run_context("night").value().at("command"), "assay run night.json");
}

TEST_F(StoreTest, MergesAnotherStore) {
  Store here = open("here.db");
  Store there = open("there.db");
  auto records = test::sample_records();
  records[0].verdict = Verdict::infra;
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(here.insert(records[static_cast<std::size_t>(i)]));
  records[0].verdict = Verdict::pass;
  for (const int i : {0, 3, 4, 5})
    ASSERT_TRUE(there.insert(records[static_cast<std::size_t>(i)]));
  const auto count = here.merge(there).value();
  EXPECT_EQ(count.added, 2u);
  EXPECT_EQ(count.existed, 1u);
  EXPECT_EQ(count.replaced, 1u);
  EXPECT_EQ(here.query().value().size(), 6u);
  EXPECT_EQ(here.find(records[0].measurement_key).value()->verdict, Verdict::pass);
  EXPECT_EQ(here.merge(here).value().existed, 6u);
}

TEST_F(StoreTest, OpensUnderAwkwardPathsAndMakesTheFolder) {
  for (const char* name :
       {"with space.db", "a=b.db", "new/folder/x = y.db", "q\"uote.db", "naïve.db"}) {
    SCOPED_TRACE(name);
    {
      Store store = open(name);
      ASSERT_TRUE(store.insert(test::sample_records().front()));
    }
    EXPECT_TRUE(std::filesystem::exists(folder_->path() / name));
  }
}

TEST_F(StoreTest, OneStoreServesManyThreads) {
  Store store = open();
  const auto records = test::sample_records(4);
  std::vector<std::thread> threads;
  for (std::size_t lane = 0; lane < 4; ++lane)
    threads.emplace_back([&, lane] {
      for (std::size_t i = lane; i < records.size(); i += 2) {  // two threads want each record
        ASSERT_TRUE(store.insert(records[i]));
        ASSERT_TRUE(store.find(records[i].measurement_key).value().has_value());
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(store.query().value().size(), records.size());
}

TEST_F(StoreTest, KeepsTheOrderOfWriting) {
  Store store = open();
  auto records = test::sample_records();
  std::swap(records.front(), records.back());
  for (const auto& record : records)
    ASSERT_TRUE(store.insert(record));
  EXPECT_EQ(labels(store.query().value()), labels(records));
}

}  // namespace
}  // namespace assay
