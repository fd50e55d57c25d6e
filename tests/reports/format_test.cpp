// Every format read back by a program that is not ours: Python's csv, json and html.parser.
#include <gmock/gmock.h>

#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"
#include "tests/reports/awkward_records.hpp"
#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// What python3 prints when run with these arguments and `text` in a file as the last one.
std::string run_python(std::vector<std::string> arguments, const std::string& text) {
  auto folder = ScratchDirectory::create(::testing::TempDir(), "report-");
  EXPECT_TRUE(folder);
  const auto file = folder->path() / "report";
  EXPECT_TRUE(write_atomically(file, text));
  arguments.insert(arguments.begin(), "python3");
  arguments.push_back(file.string());
  ProcessSpec spec;
  spec.arguments = arguments;
  const auto outcome = run_process(spec);
  EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 0) << outcome->errors;
  return outcome->output;
}

Json check(const std::string& kind, const std::string& text) {
  const auto script = source_root() / "tests/reports/check_report.py";
  return Json::parse(run_python({script.string(), kind}, text), nullptr, false);
}

std::vector<ReportInput> inputs() {
  return {test::awkward_report(),
          {"demo", test::sample_records(), {}},
          {"seeds", test::sample_records(3), {}},
          {"empty", {}, {}}};
}

TEST(CsvFormat, PythonReadsEveryRecordBack) {
  for (const auto& input : inputs()) {
    const Json rows = check("csv", render_csv(input)).at("rows");
    ASSERT_EQ(rows.size(), input.records.size()) << input.title;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Record& record = input.records[i];
      EXPECT_EQ(rows[i].at("label"), record.label);
      EXPECT_EQ(rows[i].at("verdict_detail"), record.verdict_detail);
      EXPECT_EQ(rows[i].at("command"), record.command);
      EXPECT_EQ(rows[i].at("virtual_board"), record.virtual_board ? "true" : "false");
      for (const auto& [name, metric] : record.metrics) {
        EXPECT_EQ(std::stod(rows[i].at(name).get<std::string>()), metric.value) << name;
        EXPECT_EQ(rows[i].at(name + "_provenance"), std::string(to_string(metric.provenance)));
      }
    }
  }
}

TEST(CsvFormat, AnUnknownFigureIsEmptyNotZero) {
  const Json rows = check("csv", render_csv(test::awkward_report())).at("rows");
  EXPECT_EQ(rows[2].at("latency_us"), "");
  EXPECT_EQ(rows[2].at("latency_us_provenance"), "");
}

TEST(JsonFormat, PythonReadsItAndOurRecordsComeBackWhole) {
  for (const auto& input : inputs()) {
    const Json read = Json::parse(run_python({"-m", "json.tool"}, render_json(input)));
    ASSERT_EQ(read.at("records").size(), input.records.size());
    for (std::size_t i = 0; i < input.records.size(); ++i) {
      const auto record = parse_record(read.at("records")[i], "report");
      ASSERT_TRUE(record) << record.error().message;
      EXPECT_EQ(to_json(*record), to_json(input.records[i]));
    }
  }
}

TEST(JsonFormat, TextThatIsNotUtf8DoesNotBreakIt) {
  ReportInput input = test::awkward_report();
  input.records[0].label = "\xff";
  EXPECT_NO_THROW((void)run_python({"-m", "json.tool"}, render_json(input)));
}

TEST(LatexFormat, IsWellFormedWhateverTheTextsSay) {
  for (const auto& input : inputs()) {
    const Json found = check("latex", render_latex(input));
    EXPECT_EQ(found.at("problems"), Json::array()) << render_latex(input);
  }
}

TEST(HtmlFormat, NestsProperlyAndLoadsNothing) {
  for (const auto& input : inputs()) {
    const Json found = check("html", render_html(input));
    EXPECT_EQ(found.at("problems"), Json::array());
    EXPECT_THAT(found.at("links").get<std::vector<std::string>>(), Each(StartsWith("#")));
  }
}

TEST(HtmlFormat, NoTextBecomesMarkup) {
  const std::string page = render_html(test::awkward_report());
  const Json found = check("html", page);
  EXPECT_EQ(found.at("labels")[1], test::awkward_label);
  EXPECT_EQ(found.at("scripts"), check("html", render_html({"demo", {}, {}})).at("scripts"));
  EXPECT_THAT(page, Not(HasSubstr("alert(2)</script>")));
  EXPECT_THAT(page, Not(HasSubstr("<awkward>")));
}

TEST(HtmlFormat, BrokenTextIsReplacedNotPassedOn) {
  ReportInput input = test::awkward_report();
  input.title = "a\xff\xc3(\xed\xa0\x80\x01z";
  const std::string page = render_html(input);
  EXPECT_THAT(page, HasSubstr("<h1>a\uFFFD\uFFFD(\uFFFD\uFFFD\uFFFD\uFFFDz</h1>"));
}

TEST(HtmlFormat, ChartsHaveASeriesPerBoardTypeAndOnlyPassedPoints) {
  ReportInput input{"demo", test::sample_records(), {}};
  input.records[0].verdict = Verdict::fail;
  input.records[0].label = "</script><b>";
  input.records[1].label = "</script><b>";
  const Json charts = check("html", render_html(input)).at("charts");
  ASSERT_EQ(charts.size(), 2u);
  EXPECT_EQ(charts[0].at("id"), "accuracy-flash");
  EXPECT_EQ(charts[0].at("x").at("log"), false);
  EXPECT_EQ(charts[1].at("id"), "accuracy-latency");
  EXPECT_EQ(charts[1].at("x").at("log"), true);  // 9.8 ms to 289 ms
  for (const auto& chart : charts) {
    ASSERT_EQ(chart.at("series").size(), 2u);
    EXPECT_EQ(chart.at("series")[0].at("name"), "olimex-stm32-h405");
    EXPECT_EQ(chart.at("series")[0].at("points").size(), 3u);
    EXPECT_EQ(chart.at("series")[0].at("points")[0].at("label"), "</script><b>");
    EXPECT_EQ(chart.at("series")[1].at("points").size(), 4u);
  }
}

TEST(HtmlFormat, ChartsShowTheTeacherWhenItIsKnown) {
  ReportInput input{"demo", test::sample_records(), {}};
  EXPECT_FALSE(check("html", render_html(input)).at("charts")[0].contains("teacher"));
  input.context = {{"teacher_accuracy", 92.4}};
  const Json page = check("html", render_html(input));
  for (const auto& chart : page.at("charts"))
    EXPECT_EQ(chart.at("teacher"), 92.4);
}

TEST(HtmlFormat, WithoutTwoPointsThereIsNoChart) {
  EXPECT_EQ(check("html", render_html(test::awkward_report())).at("charts"), Json::array());
}

TEST(HtmlFormat, EveryRowOfTheResultsHasEveryColumn) {
  const Json found = check("html", render_html({"seeds", test::sample_records(3), {}}));
  const auto widths = found.at("result_widths").get<std::vector<int>>();
  ASSERT_GE(widths.size(), 9u);  // the heading and eight rows come first
  for (std::size_t i = 0; i < 9; ++i)
    EXPECT_EQ(widths[i], widths[0]);
}

TEST(TextFormat, EveryLineOfTheTableIsAligned) {
  const std::string text = render_text({"demo", test::sample_records(), {}});
  EXPECT_THAT(text, HasSubstr("Virtual boards: modelled figures, not silicon."));
  const auto end_of = [&](const std::string& word) {
    const auto at = text.find(word);
    return at + word.size() - (text.rfind('\n', at) + 1);
  };
  EXPECT_EQ(end_of("Flash"), end_of("48,912"));
  EXPECT_EQ(end_of("Flash"), end_of("22,228"));
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0, width = 0;
  for (const char c : text.substr(0, text.find("\n\n"))) {
    const bool continues_a_character = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    width = c == '\n' ? 0 : width + (continues_a_character ? 0 : 1);
    widest = std::max(widest, width);
  }
  return widest;
}

TEST(TextFormat, SaysOnceWhatEveryRowHasInCommon) {
  ReportInput input{"demo", test::sample_records(), {}};
  for (auto& record : input.records)
    record.board = "virtual:" + record.board_type;
  const std::string all = render_text(input);
  EXPECT_THAT(all, HasSubstr("All rows passed: 500 test images streamed through the board"));
  EXPECT_THAT(all, Not(HasSubstr("Verdict")));
  EXPECT_THAT(all, Not(HasSubstr("virtual:")));
  input.records[2].metrics["samples_confirmed"].value = 400;
  const std::string samples_differ = render_text(input);
  EXPECT_THAT(samples_differ, HasSubstr("All rows passed.\n"));
  EXPECT_THAT(samples_differ, HasSubstr("Confirmed"));
  input.records[3].verdict = Verdict::fail;
  input.records[4].virtual_board = false;
  input.records[4].board = "desk-1";
  const std::string mixed = render_text(input);
  EXPECT_THAT(mixed, Not(HasSubstr("All rows passed")));
  EXPECT_THAT(mixed, HasSubstr("Verdict"));
  EXPECT_THAT(mixed, HasSubstr("virtual:olimex-stm32-h405"));
}

TEST(TextFormat, LeavesOutWhatDoesNotFitATerminal) {
  ReportInput input{"demo", test::sample_records(), {}};
  EXPECT_THAT(render_text(input), HasSubstr("Float"));
  EXPECT_LE(widest_line(render_text(input)), 120u);
  for (auto& record : input.records)
    record.label.insert(0, "a-long-name-of-a-student-");
  EXPECT_THAT(render_text(input), Not(HasSubstr("Float")));
  EXPECT_LE(widest_line(render_text(input)), 120u);
  EXPECT_THAT(render_markdown(input), HasSubstr("Float accuracy"));
}

TEST(TextFormat, SaysNothingToTheTerminal) {
  ReportInput input = test::awkward_report();
  input.records[0].label = "red\x1b[31m";
  input.records[1].verdict_detail = "bell\a";
  const std::string text = render_text(input);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\a'), std::string::npos);
  EXPECT_EQ(render_text({"empty", {}, {}}), "No records.\n");
}

TEST(Formats, AreFoundByName) {
  for (const auto& format : report_formats())
    EXPECT_EQ(find_report_format(format.name)->file_name, format.file_name);
  EXPECT_EQ(find_report_format("pdf"), nullptr);
}

}  // namespace
}  // namespace assay
