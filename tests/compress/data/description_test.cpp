#include "compress/data/description.hpp"

#include "tests/compress/data/folders.hpp"

namespace assay::test {
namespace {

class Description : public DataTest {
 protected:
  Result<DatasetDescription> read(const std::string& text) const {
    write("sets/eyes.json", text);
    return read_description(path("sets/eyes.json"));
  }
};

TEST_F(Description, HasDefaults) {
  const auto set =
      read(R"({"kind": "folder", "path": "pictures", "channels": 1, "height": 24, "width": 32})");
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->title, "eyes");
  EXPECT_EQ(std::get<FolderSource>(set->source).path, folder() / "sets" / "pictures");
  EXPECT_EQ(set->height, 24);
  EXPECT_EQ(set->width, 32);
  EXPECT_FALSE(set->convert_color);
  EXPECT_EQ(set->parts.validation, 0.1);
  EXPECT_EQ(set->parts.test, 0.2);
  EXPECT_FALSE(set->normalization);
}

TEST_F(Description, OfACsvNamesItsColumns) {
  const auto set = read(R"({"kind": "csv", "path": "/data/gaze.csv", "images": "crops",
    "columns": {"image": "file", "targets": ["x", "y"], "subject": "person", "split": "part"},
    "title": "Gaze", "channels": 3, "height": 8, "width": 8, "convert_color": true,
    "splits": {"validation": 0.25, "test": 0.25},
    "normalization": {"mean": [0.5, 0.5, 0.5], "deviation": [0.25, 0.25, 0.25]}})");
  ASSERT_TRUE(set) << set.error().message;
  const auto& csv = std::get<CsvSource>(set->source);
  EXPECT_EQ(csv.path, "/data/gaze.csv");
  EXPECT_EQ(csv.images, folder() / "sets" / "crops");
  EXPECT_EQ(csv.image_column, "file");
  EXPECT_EQ(csv.target_columns, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(csv.subject_column, "person");
  EXPECT_EQ(csv.split_column, "part");
  EXPECT_EQ(set->title, "Gaze");
  EXPECT_EQ(set->parts.test, 0.25);
  EXPECT_EQ(set->normalization->deviation, std::vector<float>(3, 0.25F));
}

struct BadDescription {
  const char* fields;  ///< after those of a right folder description
  const char* words;
};

class BadDescriptions : public Description, public ::testing::WithParamInterface<BadDescription> {};

TEST_P(BadDescriptions, AreRefusedWithTheField) {
  const auto set = read(std::string("{") + GetParam().fields + "}");
  expect_refused(set.map([](auto) {}), {"eyes.json: ", GetParam().words});
}

#define SHAPE R"("channels": 1, "height": 8, "width": 8)"
#define FOLDER R"("kind": "folder", "path": "p", )" SHAPE
#define CSV R"("kind": "csv", "path": "p.csv", )" SHAPE

INSTANTIATE_TEST_SUITE_P(
    Data, BadDescriptions,
    ::testing::Values(
        BadDescription{FOLDER R"(, "colour": 1)", "colour: unknown field"},
        BadDescription{FOLDER R"(, "columns": {"class": "c"})", "columns: unknown field"},
        BadDescription{R"("kind": "tar", "path": "p", )" SHAPE,
                       "kind: expected one of folder, csv"},
        BadDescription{R"("path": "p", )" SHAPE, "kind: is missing"},
        BadDescription{R"("kind": "folder", )" SHAPE, "path: is missing"},
        BadDescription{R"("kind": "folder", "path": "", )" SHAPE, "path: expected a path"},
        BadDescription{R"("kind": "folder", "path": "p", "channels": 2, "height": 8, "width": 8)",
                       "channels: expected 1 or 3, found 2"},
        BadDescription{R"("kind": "folder", "path": "p", "channels": 1, "width": 8)",
                       "height: is missing"},
        BadDescription{R"("kind": "folder", "path": "p", "channels": 1, "height": 0, "width": 8)",
                       "height: expected 1 to 1024 pixels, found 0"},
        BadDescription{CSV, "columns: is missing"},
        BadDescription{CSV R"(, "columns": {})", "columns: give either \"class\""},
        BadDescription{CSV R"(, "columns": {"class": "c", "targets": ["x"]})",
                       "columns: give either \"class\""},
        BadDescription{CSV R"(, "columns": {"class": "c", "person": "p"})",
                       "columns.person: unknown field"},
        BadDescription{FOLDER R"(, "splits": {"test": 0})",
                       "splits.test: expected a part above 0 and below 1, found 0"},
        BadDescription{FOLDER R"(, "splits": {"test": 0.5, "validation": 0.5})",
                       "splits: validation 0.5 and test 0.5 leave nothing to train on"},
        BadDescription{FOLDER R"(, "normalization": {"mean": [0.5], "deviation": []})",
                       "normalization.deviation: expected 1 number(s), one per channel, found 0"},
        BadDescription{FOLDER R"(, "normalization": {"mean": [0.5], "deviation": [0]})",
                       "normalization.deviation: expected numbers above 0"}));

TEST_F(Description, ThatIsMissingIsNamed) {
  expect_refused(read_description(path("none.json")).map([](auto) {}),
                 {"cannot read", "none.json: No such file"});
}

}  // namespace
}  // namespace assay::test
