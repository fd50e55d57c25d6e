#include "compress/data/csv.hpp"

#include "tests/compress/data/folders.hpp"

namespace assay::test {
namespace {

using Fields = std::vector<std::string>;

struct GoodText {
  const char* what;
  const char* text;
  std::vector<Fields> rows;
};

class ReadsCsv : public ::testing::TestWithParam<GoodText> {};

TEST_P(ReadsCsv, AsRfc4180Says) {
  const auto table = parse_csv(GetParam().text, "t.csv");
  ASSERT_TRUE(table) << GetParam().what << ": " << table.error().message;
  EXPECT_EQ(table->header, (Fields{"a", "b"})) << GetParam().what;
  std::vector<Fields> rows;
  for (const auto& row : table->rows)
    rows.push_back(row.fields);
  EXPECT_EQ(rows, GetParam().rows) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Csv, ReadsCsv,
    ::testing::Values(GoodText{"plain", "a,b\n1,2\n3,4\n", {{"1", "2"}, {"3", "4"}}},
                      GoodText{"no newline at the end", "a,b\n1,2", {{"1", "2"}}},
                      GoodText{"CRLF", "a,b\r\n1,2\r\n3,4\r\n", {{"1", "2"}, {"3", "4"}}},
                      GoodText{"byte order mark",
                               "\xef\xbb\xbf"
                               "a,b\n1,2\n",
                               {{"1", "2"}}},
                      GoodText{"quoted comma", "a,b\n\"1,5\",2\n", {{"1,5", "2"}}},
                      GoodText{"doubled quote", "a,b\n\"say \"\"x\"\"\",2\n", {{"say \"x\"", "2"}}},
                      GoodText{"newline in quotes", "a,b\n\"1\n2\",3\n", {{"1\n2", "3"}}},
                      GoodText{"empty fields", "a,b\n,\n\"\",x\n", {{"", ""}, {"", "x"}}}));

TEST(Csv, NumbersLinesAsAnEditorDoes) {
  const auto table = parse_csv("a,b\n\"1\n2\",3\n4,5\n", "t.csv");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->rows[0].line, 2);
  EXPECT_EQ(table->rows[1].line, 4);
}

struct BadText {
  const char* text;
  const char* words;
};

class RefusesCsv : public ::testing::TestWithParam<BadText> {};

TEST_P(RefusesCsv, WithTheLine) {
  expect_refused(parse_csv(GetParam().text, "t.csv").map([](auto) {}), {GetParam().words});
}

INSTANTIATE_TEST_SUITE_P(
    Csv, RefusesCsv,
    ::testing::Values(BadText{"a,b\n1,2\n3\n", "t.csv: line 3 has 1 fields, the header has 2"},
                      BadText{"a,b\n\n", "t.csv: line 2 has 1 fields"},
                      BadText{"a,b\n\"1,2\n", "t.csv: line 2: a quote is opened and not closed"},
                      BadText{"a,b\n\"1\"x,2\n", "t.csv: line 2: text follows a closing quote"},
                      BadText{"a,a\n1,2\n", "the column \"a\" is there twice"},
                      BadText{"a,b\n", "t.csv has no row below its header"},
                      BadText{"", "t.csv has no row"}));

TEST(Csv, NamesTheColumnsThereAre) {
  const auto table = parse_csv("a,b\n1,2\n", "t.csv");
  EXPECT_EQ(find_column(*table, "b", "t.csv"), 1U);
  expect_refused(find_column(*table, "c", "t.csv").map([](auto) {}),
                 {"t.csv has no column \"c\"; its columns are a, b"});
}

}  // namespace
}  // namespace assay::test
