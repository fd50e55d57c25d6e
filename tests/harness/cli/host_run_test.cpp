// Runs without boards, and runs that choose what goes to one, with a script in the worker's place.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "harness/core/json.hpp"
#include "harness/core/paths.hpp"
#include "results/store.hpp"
#include "tests/compress/data/image_writer.hpp"
#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// Trains the same model every time; its accuracies stand in a table: epochs, images of 100
/// validation and test images classified correctly.
constexpr const char* worker = R"script(#!/bin/sh
stage=$1 out=$3 home=$(dirname "$0")
value() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",{]*\)\"\{0,1\},\{0,1\}$/\1/p" "$stage" | head -n 1; }
from=$(dirname "$(value model)")
echo '{"cpu_seconds": 2}' > "$out/log.json"
case $(value kind) in
import)
  cp "$home/model.onnx" "$out"
  ;;
train)
  cp "$home/model.onnx" "$out"
  grep "^$(value epochs) " "$home/accuracies" > "$out/figures"
  ;;
quantize)
  cp "$from/model.onnx" "$from/figures" "$out"
  ;;
evaluate)
  read -r epochs validation test < "$from/figures"
  echo "{\"validation\": {\"count\": 100, \"correct\": $validation},
         \"test\": {\"count\": 100, \"correct\": $test}}" > "$out/evaluation.json"
  ;;
esac
)script";

// What evaluates a network: device kernels, or Torch where it is not known before it is imported.
constexpr const char* by_the_host = R"("quantize.scheme": "int8")";
constexpr const char* by_the_worker = R"("student.from": "net.pt")";

class HostRun : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(build_);
    for (const auto& entry : fs::directory_iterator(build_root()))
      if (entry.path().filename() != "assay-train")
        fs::create_symlink(entry.path(), build_ / entry.path().filename());
    ASSERT_TRUE(write_atomically(build_ / "assay-train", std::string_view(worker)));
    fs::permissions(build_ / "assay-train", fs::perms::owner_all);
    ASSERT_TRUE(write_atomically(build_ / "model.onnx", small_model()));
    ASSERT_TRUE(write_atomically(build_ / "accuracies", "1 81 70\n2 75 92\n3 81 71\n"));
  }

  /// A sweep over epochs; `network` says who evaluates, `rest` what is deployed.
  void write_matrix(const std::string& network, const std::string& rest) {
    user_.write("net.pt", "not looked into");
    user_.write("m.json", R"({"name": "m", "base": {)" + network +
                              R"(}, "sweep": {"train.epochs": [1, 2, 3]})" + rest + "}");
  }
  Answer run(const std::vector<std::string>& arguments) const {
    return user_.run(arguments, {{"ASSAY_BUILD", build_.string()}});
  }
  Json run_json() const {
    const auto answer = run({"run", "m.json", "--json"});
    EXPECT_EQ(answer.exit_code, 0) << answer.errors;
    Json json = Json::parse(answer.output, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << answer.output;
    return json;
  }
  /// "board epochs" of the records with that condition.
  template <class Condition>
  std::set<std::string> places(const Json& report, Condition condition) const {
    std::set<std::string> found;
    for (const Json& record : report.at("records"))
      if (condition(record))
        found.insert(record.at("board_type").get<std::string>() + " " +
                     record.at("config").at("train").at("epochs").dump());
    return found;
  }
  static bool anything(const Json&) { return true; }
  static bool selected(const Json& record) { return record.contains("selected"); }

  User user_;
  ScratchDirectory home_ = ScratchDirectory::create(::testing::TempDir(), "worker-").value();
  fs::path build_ = home_.path() / "build";
};

using Places = std::set<std::string>;

TEST_F(HostRun, WithoutADeploySectionRecordsEveryConfigurationOnce) {
  write_matrix(by_the_worker, "");
  const auto report = run_json();
  EXPECT_EQ(places(report, anything), (Places{"host 1", "host 2", "host 3"}));
  const Json& metrics = report.at("records")[0].at("metrics");
  EXPECT_EQ(metrics.at("accuracy_top1").at("value"), 70);
  EXPECT_EQ(metrics.at("accuracy_top1_validation").at("value"), 81);
  EXPECT_EQ(metrics.at("train_seconds").at("value"), 2);
  EXPECT_FALSE(metrics.contains("latency_us"));
  EXPECT_TRUE(user_.project_files().contains("assay-out/m/cells/net.pt_e1_s1@host/model.onnx"));

  // Warm: no worker, nothing new.
  const auto before = user_.project_files();
  const auto warm = user_.run({"run", "m.json"}, {{"ASSAY_BUILD", "/nowhere"}});
  EXPECT_EQ(warm.exit_code, 0);
  EXPECT_EQ(warm.errors, "");
  EXPECT_THAT(warm.output, HasSubstr("No board was measured"));
  EXPECT_EQ(user_.project_files(), before);
}

/// Changes one bit in the middle of the file.
void flip_bit(const fs::path& file) {
  auto content = read_text(file).value();
  content[content.size() / 2] ^= 0x10;
  ASSERT_TRUE(write_atomically(file, content));
}

TEST_F(HostRun, MakesADamagedResultAgainBeforeItIsUsed) {
  write_matrix(by_the_worker, "");
  const Json undisturbed = run_json().at("records");
  struct Case {
    const char* damaged;  ///< kind of the stage
    const char* file;
    const char* gone;  ///< a kind of stages that are computed anew from it
  };
  for (const auto& [kind, file, gone] : {Case{"train", "model.onnx", "quantize"},
                                         {"train", "log.json", "evaluate-torch"},
                                         {"quantize", "model.onnx", "locks"},
                                         {"evaluate-torch", "evaluation.json", "locks"}}) {
    SCOPED_TRACE(kind);
    fs::remove_all(user_.cache() / gone);
    fs::remove(user_.project() / "assay.db");
    const auto folder = fs::directory_iterator(user_.cache() / kind)->path();
    const auto before = read_text(folder / file).value();
    flip_bit(folder / file);
    const auto named = (folder / file).string() + " is damaged: its SHA-256 is ";
    EXPECT_THAT(run({"plan", "m.json"}).output, HasSubstr(named));
    const auto answer = run({"run", "m.json"});
    EXPECT_EQ(answer.exit_code, 0);
    EXPECT_THAT(answer.errors, HasSubstr("assay: " + named));
    EXPECT_EQ(read_text(folder / file).value(), before);
    EXPECT_EQ(run_json().at("records").size(), undisturbed.size());
  }
}

TEST_F(HostRun, RefusesDataThatChangesWhileItIsGoing) {
  const auto picture = [](int value) {
    return png_file(flat_image(1, 28, 28, std::uint8_t(value)));
  };
  for (int i = 0; i < 40; ++i)
    user_.write("eyes/" + std::string(i % 2 ? "left/" : "right/") + std::to_string(i) + ".png",
                picture(i));
  user_.write("eyes.json",
              R"({"kind": "folder", "path": "eyes", "channels": 1, "height": 28, "width": 28})");
  user_.write(
      "m.json",
      R"({"name": "m", "base": {"data": "eyes.json", "train": {"epochs": 1, "batch": 8}}})");
  // The training is when the user edits.
  ASSERT_TRUE(write_atomically(build_ / "edited.png", picture(99)));
  const auto edited = user_.project() / "eyes/left/1.png";
  const auto edits =
      fmt::format("#!/bin/sh\ncp '{}' '{}'\n", (build_ / "edited.png").string(), edited.string());
  ASSERT_TRUE(write_atomically(build_ / "assay-train", edits + worker));
  fs::permissions(build_ / "assay-train", fs::perms::owner_all);
  const auto answer = run({"run", "m.json"});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, HasSubstr("eyes.json changed while the run was going; run again\n"));
  EXPECT_FALSE(fs::exists(user_.cache() / "evaluate"));
}

TEST_F(HostRun, NamesAnOutputFolderThatCannotBeWrittenBeforeAnythingIsDone) {
  write_matrix(by_the_worker, "");
  user_.write("file", "no folder");
  for (const char* out : {"file", "file/below", "/proc/assay-out"}) {
    const auto answer = run({"run", "m.json", "--out", out});
    EXPECT_EQ(answer.exit_code, 3) << out;
    EXPECT_THAT(answer.errors, IsOneSentence(fs::path(out).parent_path().string()));
    EXPECT_THAT(user_.stages(), ::testing::IsEmpty()) << out;
  }
  EXPECT_EQ(user_.project_files(), (std::set<std::string>{"m.json", "net.pt", "file"}));
}

TEST_F(HostRun, LinksNothingDamaged) {
  write_matrix(by_the_worker, "");
  run_json();
  const auto folder = fs::directory_iterator(user_.cache() / "quantize")->path();
  flip_bit(folder / "model.onnx");
  const auto answer = run({"run", "m.json", "--out", "elsewhere"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_THAT(answer.errors, IsOneSentence((folder / "model.onnx").string() + " is damaged"));
  int linked = 0;
  for (const auto& file : user_.project_files())
    linked += file.starts_with("elsewhere/") && file.ends_with("/model.onnx");
  EXPECT_EQ(linked, 2);
}

TEST_F(HostRun, MarksTheBestByValidationAndNotByTest) {
  write_matrix(by_the_worker, R"(, "deploy": {"best_over": ["train.epochs"]})");
  const auto report = run_json();
  EXPECT_EQ(places(report, anything).size(), 3U);
  // Epoch 2 is the best on the test images; of 1 and 3, equal in validation, the first counts.
  EXPECT_EQ(places(report, selected), (Places{"host 1"}));
  EXPECT_THAT(run({"results"}).output, HasSubstr("net.pt_e1_s1 *"));
  EXPECT_THAT(run({"plan", "m.json"}).output,
              HasSubstr("selected: 1 configurations, the best by accuracy_top1@validation of 1 "
                        "groups over train.epochs\n"));
}

TEST_F(HostRun, MarksTheBestByTestWithAFootnote) {
  write_matrix(by_the_worker,
               R"(, "deploy": {"best_over": ["train.epochs"], "by": "accuracy_top1@test"})");
  EXPECT_EQ(places(run_json(), selected), (Places{"host 2"}));
  for (const char* file :
       {"index.html", "table.md", "table.csv", "table.tex", "table.txt", "records.json"})
    EXPECT_THAT(read_text(user_.project() / "assay-out/m/report" / file).value_or(""),
                HasSubstr("such a choice flatters the result"))
        << file;
}

TEST_F(HostRun, SendsTheChosenToTheBoardInTheSameRun) {
  write_matrix(by_the_host, R"(, "deploy": {"best_over": ["train.epochs"], "samples": 8,
                            "on": [{"board_type": "stm32f030cc", "virtual": true}]})");
  const auto planned = run({"plan", "m.json"});
  EXPECT_THAT(planned.output,
              HasSubstr("to be selected: the best of 1 more groups, when all in them is evaluated; "
                        "each goes to 1 board types then\n"));
  const auto report = run_json();
  // The same model three times: the first of equals.
  EXPECT_EQ(places(report, anything), (Places{"generic-stm32f030cc 1", "host 2", "host 3"}));
  EXPECT_EQ(places(report, selected), (Places{"generic-stm32f030cc 1"}));
  for (const Json& record : report.at("records"))
    EXPECT_EQ(record.at("verdict"), "pass");

  const auto warm = run({"run", "m.json"});
  EXPECT_EQ(warm.exit_code, 0);
  EXPECT_EQ(warm.errors, "");
  const auto page = user_.project() / "assay-out/m/report/records.json";
  const auto written = read_text(page).value();
  EXPECT_EQ(run({"report", "m"}).exit_code, 0);
  const auto again = Json::parse(read_text(page).value());
  EXPECT_EQ(places(again, anything), places(report, anything));
  EXPECT_EQ(places(again, selected), places(report, selected));

  const Json plan = Json::parse(run({"plan", "m.json", "--json"}).output);
  EXPECT_EQ(plan.at("selection_undecided"), 0);
  for (const Json& cell : plan.at("cells")) {
    EXPECT_EQ(cell.at("measured"), true) << cell;
    EXPECT_EQ(cell.at("on_board"), cell.contains("fits")) << cell;
  }
}

TEST_F(HostRun, ChoosesNothingFromAGroupOfWhichAPartIsWanted) {
  write_matrix(by_the_host, R"(, "deploy": {"best_over": ["train.epochs"], "samples": 8,
                            "on": [{"board_type": "stm32f030cc", "virtual": true}]})");
  const auto answer = run({"run", "m.json", "--json", "--only", "train.epochs=2"});
  EXPECT_EQ(answer.exit_code, 0) << answer.errors;
  EXPECT_EQ(places(Json::parse(answer.output), anything), (Places{"host 2"}));
}

TEST_F(HostRun, WithoutTheBoardThatIsToBeChosenForIsRefusedBeforeAnythingIsDone) {
  write_matrix(by_the_host, R"(, "deploy": {"best_over": ["train.epochs"],
                            "on": [{"board_type": "stm32f030cc"}]})");
  const auto answer = run({"run", "m.json"});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, IsOneSentence(std::string("no board of type generic-stm32f030cc")));
  EXPECT_FALSE(fs::exists(user_.cache()));
}

TEST(PlanOfManyCells, IsSummedUp) {
  const User user;
  user.write("m.json", R"({"name": "m", "base": {"student.cut": 4},
      "sweep": {"prune.sparsity": {"from": 0.1, "to": 0.89, "step": 0.01}, "seed": [1, 2, 3]}})");
  const auto summed = user.run({"plan", "m.json"});
  EXPECT_EQ(summed.exit_code, 0) << summed.errors;
  EXPECT_THAT(summed.output, HasSubstr("= 240 configurations\n"));
  EXPECT_THAT(summed.output, HasSubstr("\nhost       240         0  no board is needed\n"));
  // Three networks are trained, each pruned to 80 sparsities.
  EXPECT_THAT(summed.output, HasSubstr(" 243 of them trainings, then 0 measurements on boards and "
                                       "240 records of the host: about "));
  EXPECT_THAT(summed.output, Not(HasSubstr("cut4_p0.5_s1@host")));
  const auto all = user.run({"plan", "m.json", "--all"});
  EXPECT_THAT(all.output, HasSubstr("\ncut4_p0.5_s1@host"));
  EXPECT_EQ(Json::parse(user.run({"plan", "m.json", "--json"}).output).at("cells").size(), 240U);
}

}  // namespace
}  // namespace assay::test
