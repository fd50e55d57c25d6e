#include "reports/short_labels.hpp"

#include <gmock/gmock.h>

#include <set>

#include "tests/support/sample_records.hpp"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ShortLabels, LeaveOutWhatAllOfAStepShare) {
  const auto shortened = shorten_labels(
      {"width50_T4_p0.5_pg-block-1x4_pe18_plr0.006_k16_kx-conv1_klr0.005",
       "width50_T4_p0.75_pg-block-1x4_pe18_plr0.006_k16_kx-conv1_klr0.005", "width50_T4"});
  EXPECT_THAT(shortened.labels,
              ElementsAre("width50_T4_p0.5_k16", "width50_T4_p0.75_k16", "width50_T4"));
  EXPECT_THAT(shortened.left_out,
              ElementsAre(LegendEntry{"p:", "with pe18, pg-block-1x4, plr0.006"},
                          LegendEntry{"k:", "with klr0.005, kx-conv1"}));
}

TEST(ShortLabels, KeepADetailThatDiffersOrThatOneOfThemLacks) {
  const std::vector<std::string> labels{"conv5_p0.5_pg-2:4_pe18", "conv5_p0.5_pg-block-1x4_pe18",
                                        "conv5_p0.5_pg-2:4"};
  const auto shortened = shorten_labels(labels);
  EXPECT_EQ(shortened.labels, labels);
  EXPECT_THAT(shortened.left_out, IsEmpty());
}

TEST(ShortLabels, KeepPartsThatBelongToNoStep) {
  // A cut, a width and a learning rate are no details; nor is a "pg" where nothing is pruned.
  const std::vector<std::string> labels{"cut4-width50_lr0.1_te3_s1",
                                        "my_pg-file_s1",
                                        "net_wd0.1_w4_s1",
                                        "kws_p0.5_k16",
                                        "kws_p0.5_k32",
                                        "pg-file_p0.5_k16"};
  EXPECT_EQ(shorten_labels(labels).labels, labels);
}

TEST(ShortLabels, AreAsDifferentAsTheLabels) {
  std::vector<std::string> labels;
  for (const char* prune : {"", "_p0.5", "_p0.5_pe3", "_p0.5_pg-filter", "_p0.75_pg-filter"})
    for (const char* cluster : {"", "_k16", "_k16_ke6", "_k8_ke6", "_k0-true_ke6"})
      labels.push_back(std::string("conv5") + prune + cluster);
  for (std::size_t i = 0; i < labels.size(); ++i)
    for (std::size_t j = i + 1; j < labels.size(); ++j) {
      const auto pair = shorten_labels({labels[i], labels[j]}).labels;
      EXPECT_NE(pair[0], pair[1]) << labels[i] << " and " << labels[j];
    }
  const auto all = shorten_labels(labels).labels;
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), labels.size());
}

TEST(ShortLabels, StandInPrintedTablesWithANoteOfWhatTheyLeaveOut) {
  auto records = test::sample_records();
  for (auto& record : records)
    record.label = "p0.5_pg-block-1x4_" + record.label;
  const auto table = printed_table({"t", records, {}}, ColumnChoice::printed);
  EXPECT_EQ(table.rows.front().label, "p0.5_" + test::sample_records().front().label);
  EXPECT_THAT(table.notes, Contains(LegendEntry{"p:", "with pg-block-1x4"}));
}

}  // namespace
}  // namespace assay
