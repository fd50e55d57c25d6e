// Reports of configurations that went to no board, and of those that were selected.
#include <gmock/gmock.h>

#include "reports/grouping.hpp"
#include "reports/report.hpp"
#include "reports/summary.hpp"
#include "reports/table.hpp"
#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// What a record keeps without its board.
Record on_host(Record record) {
  record.board = record.board_type = record.part = host_target;
  record.virtual_board = false;
  record.cell_id += "@host";
  record.measurement_key += "@host";
  for (const char* name : {"samples_confirmed", "rom_bytes", "rom_weights_bytes", "ram_bytes",
                           "ram_arena_bytes", "cycles", "latency_us", "energy_uj"})
    record.metrics.erase(name);
  record.metrics["weight_bytes"] = {
      20'000.0 + record.metrics.at("macc").value / 1000, "B", Provenance::counted, {}};
  record.metrics["zeros_pct"] = {1.25, "%", Provenance::counted, {}};
  record.metrics["clusters"] = {255, "", Provenance::counted, {}};
  record.metrics["train_seconds"] = {12, "s", Provenance::measured, {}};
  return record;
}

/// The first four sample records, all on one board type, put on the host.
ReportInput host_report() {
  ReportInput input{"sweep", test::sample_records(), nullptr};
  input.records.resize(4);
  for (auto& record : input.records)
    record = on_host(record);
  return input;
}

std::vector<std::string> column_names(const ReportTable& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns)
    names.push_back(column.name);
  return names;
}

TEST(HostRows, HaveNoColumnThatOnlyABoardCouldFill) {
  const auto input = host_report();
  const auto names = column_names(report_table(input, ColumnChoice::printed));
  EXPECT_EQ(names, (std::vector<std::string>{"accuracy_top1", "accuracy_top1_float", "macc",
                                             "weight_bytes", "compression_ratio"}));
  for (const auto& format : report_formats()) {
    if (format.complete) continue;
    const auto text = format.render(input);
    EXPECT_NE(text.find("No board was measured"), std::string::npos) << format.name;
    for (const char* word : {">Verdict<", ">Board<", "verdict pass", "Virtual", "Latency"})
      EXPECT_EQ(text.find(word), std::string::npos) << format.name << " " << word;
  }
  EXPECT_THAT(heading_facts(summarize(input)),
              Contains(std::pair<std::string, std::string>("Cells", "4")));
}

TEST(HostRows, SayOnceWhatTheCompressionNoted) {
  auto input = host_report();
  for (auto& record : input.records)
    record.environment = {{"notices", {"cluster: conv1 was left out, <too few>"}}};
  input.records[0].environment["notices"].push_back("quantize: conv2: 3 biases were clamped");
  const auto table = report_table(input, ColumnChoice::printed);
  ASSERT_GT(table.rows.size(), 1U);
  ASSERT_EQ(table.notes.size(), 2U);
  EXPECT_EQ(table.notes[0].mark,
            table.rows[0].label + " and " + std::to_string(table.rows.size() - 1) + " more:");
  EXPECT_EQ(table.notes[0].meaning, "cluster: conv1 was left out, <too few>");
  EXPECT_EQ(table.notes[1].meaning, "quantize: conv2: 3 biases were clamped");
  for (const auto& format : report_formats()) {
    const auto text = format.render(input);
    if (format.name == "csv") continue;  // figures only
    EXPECT_THAT(text, HasSubstr("3 biases were clamped")) << format.name;
  }
  EXPECT_THAT(render_html(input), HasSubstr("&lt;too few&gt;"));
}

TEST(HostRows, PrintWhatPruningAndClusteringLeftWhereThereWasAny) {
  const struct {
    const char* group;
    const char* metric;
  } cases[] = {{"prune", "zeros_pct"}, {"cluster", "clusters"}};
  for (const auto& test : cases) {
    auto input = host_report();
    EXPECT_THAT(column_names(report_table(input, ColumnChoice::printed)),
                Not(Contains(test.metric)));
    input.records[1].config[test.group] = {{"epochs", 1}};
    EXPECT_THAT(column_names(report_table(input, ColumnChoice::printed)), Contains(test.metric));
  }
}

TEST(HostRows, AreToldFromBoards) {
  auto input = host_report();
  auto board = test::sample_records().back();
  input.records.push_back(board);
  const auto text = render_text(input);
  EXPECT_THAT(text, HasSubstr("All rows on boards passed: 500 test images"));
  EXPECT_THAT(text, HasSubstr("4 of 5 records are of the host alone."));
  EXPECT_THAT(text, HasSubstr("Virtual boards: modelled figures, not silicon."));
  EXPECT_THAT(heading_facts(summarize(input)), Contains(std::pair<std::string, std::string>(
                                                   "Cells", "5 (1 passed, 4 on the host)")));
}

TEST(HostRows, SayThatTrainingTimeWasTakenOnTheHost) {
  const auto all = report_table(host_report(), ColumnChoice::all);
  EXPECT_THAT(legend_sentence(all), HasSubstr("m = measured on the host"));
  EXPECT_THAT(legend_sentence(all), Not(HasSubstr("real hardware")));
}

TEST(HostRows, GiveWayToTheBoardsOfTheirConfiguration) {
  const auto boards = test::sample_records();
  auto records = boards;
  records.push_back(on_host(boards[0]));
  Record other = on_host(boards[1]);
  other.config_id = "of no board";
  records.push_back(other);
  const auto kept = without_superseded_hosts(records);
  ASSERT_EQ(kept.size(), boards.size() + 1);
  EXPECT_EQ(kept.back().config_id, "of no board");
}

constexpr const char* flattery =
    "selected by test accuracy, as the source did; such a choice flatters the result";

/// The report with its second record selected.
ReportInput selected_by(const char* criterion) {
  auto input = host_report();
  input.context = {{"matrix", "sweep"},
                   {"selections",
                    {{{"matrix", "sweep"},
                      {"over", {"distill.alpha", "distill.T"}},
                      {"by", criterion},
                      {"selected", {input.records[1].config_id}}}}}};
  return input;
}

TEST(Selected, ByTestIsFootnotedInEveryFormat) {
  const std::map<std::string_view, const char*> marks{
      {"text", "width50_a0.5_T4_s1 †"},
      {"markdown", "width50\\_a0.5\\_T4\\_s1 †"},
      {"latex", "width50\\_a0.5\\_T4\\_s1 \\textsuperscript{\\dag}"},
      {"html", ">†</abbr>"},
      {"csv", "selected"},
      {"json", "\"selected\": \"the best over distill.alpha, distill.T, selected by test"}};
  for (const auto& format : report_formats()) {
    const auto text = format.render(selected_by("accuracy_top1@test"));
    EXPECT_THAT(text, HasSubstr(flattery)) << format.name;
    EXPECT_THAT(text, HasSubstr(marks.at(format.name))) << format.name;
    EXPECT_THAT(format.render(host_report()), Not(HasSubstr("flatters"))) << format.name;
  }
}

TEST(Selected, ByValidationIsMarkedAndFlattersNothing) {
  for (const auto& format : report_formats()) {
    const auto text = format.render(selected_by("accuracy_top1@validation"));
    EXPECT_THAT(text, HasSubstr("selected by validation accuracy")) << format.name;
    EXPECT_THAT(text, Not(HasSubstr("flatters"))) << format.name;
  }
  const auto table = report_table(selected_by("accuracy_top1@validation"), ColumnChoice::printed);
  std::vector<std::string> marks;
  for (const auto& row : table.rows)
    marks.push_back(row.mark);
  EXPECT_EQ(marks, (std::vector<std::string>{"", "*", "", ""}));
}

TEST(Selected, TwiceSaysWhatFlatters) {
  auto input = selected_by("accuracy_top1@test");
  auto more = selected_by("accuracy_top1@validation").context.at("selections");
  for (const bool first : {true, false}) {
    auto& list = input.context["selections"];
    list.insert(first ? list.begin() : list.end(), more[0]);
    EXPECT_THAT(render_text(input), HasSubstr(flattery));
  }
}

TEST(Selected, FromAMalformedContextIsNothing) {
  for (const char* text :
       {R"({"selections": 3})", R"({"selections": [3]})", R"({"selections": [{}]})",
        R"({"selections": [{"selected": 3}]})", R"({"selections": [{"selected": [3]}]})"}) {
    auto input = host_report();
    input.context = Json::parse(text);
    for (const auto& row : report_table(input, ColumnChoice::all).rows)
      EXPECT_EQ(row.mark, "") << text;
  }
}

}  // namespace
}  // namespace assay
