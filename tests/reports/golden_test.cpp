// Every format against the file a person approved; see tests/golden/README.md.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "tests/reports/awkward_records.hpp"

namespace assay {
namespace {

/// The text with the content of its style and script elements left out.
std::string without_assets(std::string text, std::string_view element) {
  const std::string open = fmt::format("<{}>", element);
  const std::string close = fmt::format("</{}>", element);
  for (std::size_t at = 0; (at = text.find(open, at)) != std::string::npos;) {
    at += open.size();
    const std::size_t end = text.find(close, at);
    text.replace(at, end - at, "...");
  }
  return text;
}

class GoldenTest : public ::testing::TestWithParam<ReportFormat> {};

TEST_P(GoldenTest, IsWhatWasApproved) {
  const ReportFormat& format = GetParam();
  std::string text = format.render(test::awkward_report());
  if (format.name == "html") text = without_assets(without_assets(text, "style"), "script");
  const auto path = source_root() / "tests/golden/reports" / format.file_name;
  if (std::getenv("ASSAY_UPDATE_GOLDEN")) {
    ASSERT_TRUE(write_atomically(path, text));
  }
  const auto golden = read_text(path);
  ASSERT_TRUE(golden) << golden.error().message;
  EXPECT_EQ(text, *golden);
}

INSTANTIATE_TEST_SUITE_P(Formats, GoldenTest,
                         ::testing::ValuesIn(report_formats().begin(), report_formats().end()),
                         [](const auto& format) { return std::string(format.param.name); });

}  // namespace
}  // namespace assay
