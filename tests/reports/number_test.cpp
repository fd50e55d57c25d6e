#include "reports/number.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace assay {
namespace {

TEST(Number, GroupsThousandsAndKeepsDecimals) {
  struct Case {
    double value;
    int decimals;
    const char* text;
  };
  for (const auto& [value, decimals, text] :
       {Case{0, 0, "0"}, Case{999, 0, "999"}, Case{1000, 0, "1,000"}, Case{-1000, 0, "-1,000"},
        Case{-999, 0, "-999"}, Case{41236, 0, "41,236"}, Case{1234567.891, 2, "1,234,567.89"},
        Case{999.999, 2, "1,000.00"}, Case{0.005, 1, "0.0"}, Case{12345678, 0, "12,345,678"}})
    EXPECT_EQ(format_number(value, decimals, ","), text);
  EXPECT_EQ(format_number(41236, 0, "\u202f"), "41\u202f236");
}

TEST(Number, ExactTextReadsBackAsTheSameDouble) {
  for (const double value : {0.1, 1.0 / 3, 48912.0, 5e-324, 1.7976931348623157e308})
    EXPECT_EQ(std::strtod(exact_number(value).c_str(), nullptr), value);
  EXPECT_EQ(exact_number(48912), "48912");
}

TEST(Number, ReadableTextKeepsWholeNumbersAndRoundsFractions) {
  EXPECT_EQ(readable_number(123456789012), "123456789012");
  EXPECT_EQ(readable_number(84904.10416666666), "84904.104");
  EXPECT_EQ(readable_number(0.1 + 0.2), "0.3");
  EXPECT_EQ(readable_number(-0.5), "-0.5");
}

TEST(Number, ScalesTimeAndEnergyButNeverBytes) {
  EXPECT_EQ(display_unit("us", 1, 1500).text, "ms");
  EXPECT_EQ(display_unit("us", 1, 1500).divisor, 1000);
  EXPECT_EQ(display_unit("us", 1, 1500).decimals, 2);
  EXPECT_EQ(display_unit("us", 1, 999).text, "ms");
  EXPECT_EQ(display_unit("us", 1, 999).decimals, 3);
  EXPECT_EQ(display_unit("us", 1, 99).text, "µs");
  EXPECT_EQ(display_unit("uJ", 2, 2e6).text, "mJ");
  EXPECT_EQ(display_unit("B", 0, 2e6).text, "B");
  EXPECT_EQ(display_unit("B", 0, 2e6).divisor, 1);
}

TEST(Number, EveryProvenanceHasAMarkOfItsOwn) {
  std::string marks;
  for (const auto p :
       {Provenance::measured, Provenance::modelled, Provenance::counted, Provenance::computed})
    marks += provenance_mark(p);
  EXPECT_EQ(marks, "m~ch");
}

}  // namespace
}  // namespace assay
