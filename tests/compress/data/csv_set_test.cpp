// Sets described by a CSV file.
#include <set>

#include "compress/data/prepared_set.hpp"
#include "tests/compress/data/folders.hpp"
#include "tests/compress/data/image_writer.hpp"

namespace assay::test {
namespace {

const std::string shape = R"("channels": 1, "height": 4, "width": 4)";

/// A gaze set: 12 subjects with 5 images each and targets, in a CSV.
class CsvSet : public DataTest {
 protected:
  struct Row {
    std::string image, subject, x, y, part;
  };

  CsvSet() {
    for (int i = 0; i < 60; ++i) {
      const std::string image = "crops/" + std::to_string(i) + ".png";
      write(image, png_file(flat_image(1, 4, 4, std::uint8_t(i * 4))));
      // Subjects s0 to s11; of the source's own splits s0 to s7 are for training.
      const int subject = i % 12;
      rows_.push_back({image, "s" + std::to_string(subject), std::to_string(i / 100.0),
                       std::to_string(-i / 50.0), subject < 8 ? "train" : "test"});
    }
  }

  Result<PreparedSet> prepare(const std::string& columns) const {
    std::string csv = "image,subject,x,y,part\n";
    for (const Row& row : rows_)
      csv += row.image + "," + row.subject + "," + row.x + "," + row.y + "," + row.part + "\n";
    write("gaze.csv", csv);
    write("gaze.json",
          R"({"kind": "csv", "path": "gaze.csv", "columns": {)" + columns + "}, " + shape + "}");
    return prepare_set(path("gaze.json"));
  }

  /// Subjects of a split, by what the images hold.
  static std::set<int> subjects(const ImageSet& set) {
    std::set<int> found;
    for (int i = 0; i < set.count; ++i)
      found.insert(*set.image(i) / 4 % 12);
    return found;
  }

  void expect_subjects_apart(const PreparedSet& set, const std::vector<std::size_t>& counts) const {
    std::set<int> seen;
    std::vector<std::size_t> found;
    for (const Split split : {Split::train, Split::validation, Split::test}) {
      found.push_back(subjects(*load(set, split)).size());
      for (const int subject : subjects(*load(set, split)))
        EXPECT_TRUE(seen.insert(subject).second) << "subject " << subject << " is on both sides";
    }
    EXPECT_EQ(found, counts);
  }

  std::vector<Row> rows_;
};

const std::string gaze = R"("targets": ["x", "y"], "subject": "subject")";

TEST_F(CsvSet, IsARegressionWithTargets) {
  const auto set = prepare(gaze);
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->info.task, DatasetInfo::Task::regression);
  EXPECT_EQ(set->info.outputs, 2);
  EXPECT_EQ(set->info.classes, 0);
  EXPECT_EQ(set->info.target_names, (std::vector<std::string>{"x", "y"}));
  const auto test = load(*set, Split::test);
  ASSERT_EQ(test->targets.size(), std::size_t(test->count) * 2);
  for (int i = 0; i < test->count; ++i) {
    const float number = float(*test->image(i)) / 4;
    EXPECT_FLOAT_EQ(test->targets[2 * std::size_t(i)], number / 100);
    EXPECT_FLOAT_EQ(test->targets[2 * std::size_t(i) + 1], -number / 50);
  }
}

TEST_F(CsvSet, IsDividedBySubject) {
  const auto set = prepare(gaze);
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(expect_disjoint_splits([&](Split split) { return load(*set, split); }),
            (std::vector<int>{45, 5, 45, 10}));
  expect_subjects_apart(*set, {9, 1, 2});  // 0.2 and 0.1 of twelve, rounded
}

TEST_F(CsvSet, WithoutSubjectsIsDividedByImage) {
  const auto set = prepare(R"("targets": ["x"])");
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(expect_disjoint_splits([&](Split split) { return load(*set, split); }),
            (std::vector<int>{42, 6, 42, 12}));
}

TEST_F(CsvSet, KeepsTheSplitsOfItsSource) {
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (rows_[i].subject == "s7") rows_[i].part = "validation";
  const auto set = prepare(gaze + R"(, "split": "part")");
  ASSERT_TRUE(set) << set.error().message;
  expect_subjects_apart(*set, {7, 1, 4});
  EXPECT_EQ(subjects(*load(*set, Split::test)), (std::set<int>{8, 9, 10, 11}));
  EXPECT_EQ(subjects(*load(*set, Split::validation)), (std::set<int>{7}));
}

TEST_F(CsvSet, TakesValidationFromTrainingWhenTheSourceHasNone) {
  const auto set = prepare(gaze + R"(, "split": "part")");
  ASSERT_TRUE(set) << set.error().message;
  expect_subjects_apart(*set, {7, 1, 4});
  EXPECT_EQ(subjects(*load(*set, Split::test)), (std::set<int>{8, 9, 10, 11}));
}

TEST_F(CsvSet, MayHaveMoreThan256Classes) {
  rows_.clear();
  for (int i = 0; i < 900; ++i) {
    const std::string image = "many/" + std::to_string(i) + ".png";
    write(image, png_file(flat_image(1, 4, 4, std::uint8_t(i % 251))));
    rows_.push_back({image, "id" + std::to_string(1000 + i % 300), "0", "0", "train"});
  }
  const auto set = prepare(R"("class": "subject")");
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->info.classes, 300);
  EXPECT_EQ(set->info.class_names[299], "id1299");
  const auto train = load(*set, Split::train);
  EXPECT_EQ(*std::max_element(train->labels.begin(), train->labels.end()), 299);
  EXPECT_EQ(std::set<int>(train->labels.begin(), train->labels.end()).size(), 300U);
}

struct BadCsv {
  const char* name;
  std::function<void(std::vector<std::string>& row)> spoil;  ///< of image 7, subject s7, line 9
  std::string columns;
  std::vector<std::string> words;
};

class BadCsvs : public CsvSet, public ::testing::WithParamInterface<BadCsv> {};

TEST_P(BadCsvs, AreRefusedInOneSentence) {
  Row& row = rows_[7];
  std::vector<std::string> fields{row.image, row.subject, row.x, row.y, row.part};
  GetParam().spoil(fields);
  row = {fields[0], fields[1], fields[2], fields[3], fields[4]};
  expect_refused(prepare(GetParam().columns).map([](auto) {}), GetParam().words);
}

const std::string with_split = gaze + R"(, "split": "part")";
void nothing(std::vector<std::string>&) {}
std::function<void(std::vector<std::string>&)> set_field(std::size_t field, std::string value) {
  return [=](std::vector<std::string>& row) { row[field] = value; };
}

INSTANTIATE_TEST_SUITE_P(
    Data, BadCsvs,
    ::testing::Values(
        BadCsv{"SubjectOnBothSides",
               set_field(4, "test"),
               with_split,
               {"the subject s7 is in the split t", "a subject belongs to one split", "line "}},
        BadCsv{"UnknownSplit",
               set_field(4, "dev"),
               with_split,
               {"gaze.csv: line 9: expected train, validation or test in the column \"part\", "
                "found \"dev\""}},
        BadCsv{"TargetThatIsNoNumber",
               set_field(2, "left"),
               gaze,
               {"gaze.csv: line 9: expected a number in the column \"x\", found \"left\""}},
        BadCsv{"TargetThatIsNoFiniteNumber",
               set_field(3, "nan"),
               gaze,
               {"line 9: expected a number in the column \"y\", found \"nan\""}},
        BadCsv{"EmptyTarget", set_field(3, ""), gaze, {"line 9", "found \"\""}},
        BadCsv{"EmptySubject", set_field(1, ""), gaze, {"line 9: the column \"subject\" is empty"}},
        BadCsv{"MissingImage",
               set_field(0, "crops/none.png"),
               gaze,
               {"gaze.csv: line 9", "crops/none.png is missing; of 60 images, 1 are"}},
        BadCsv{"ImageListedTwice",
               set_field(0, "crops/../crops/3.png"),
               gaze,
               {"line 9: the image crops/3.png is there twice, first at line 5"}},
        BadCsv{"MissingColumn",
               nothing,
               R"("targets": ["x", "z"])",
               {"gaze.csv has no column \"z\"; its columns are image, subject, x, y, part"}},
        BadCsv{"OneClass", set_field(4, "train"), R"("class": "none")", {"no column \"none\""}},
        BadCsv{"SubjectsAreClasses",
               nothing,
               R"("class": "subject", "subject": "subject")",
               {"has no images in the split train; every split needs some"}},
        BadCsv{"ClassThatIsNotUtf8",
               set_field(1, "caf\xe9"),
               R"("class": "subject")",
               {"gaze.csv: line 9: the class in the column \"subject\" is not UTF-8"}}),
    [](const auto& test) { return test.param.name; });

TEST_F(CsvSet, NeedsAsManySubjectsAsSplits) {
  for (auto& row : rows_)
    row.subject = row.subject == "s1" ? "a" : "b";
  expect_refused(prepare(gaze).map([](auto) {}), {"the number of subjects is 2", "need 3"});
}

TEST_F(CsvSet, NeedsATestSplitWhenItHasASplitColumn) {
  for (auto& row : rows_)
    row.part = "train";
  expect_refused(prepare(with_split).map([](auto) {}), {"the split test has no images"});
}

TEST_F(CsvSet, NeedsEveryClassInEverySplit) {
  const char* splits[] = {"train", "validation", "test"};
  for (int missing = 0; missing < 3; ++missing) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      rows_[i].part = splits[i % 3];
      const bool rare = i % 2 == 0 && int(i % 3) != missing;
      rows_[i].x = rare ? "rare" : "usual";
    }
    expect_refused(prepare(R"("class": "x", "split": "part")").map([](auto) {}),
                   {std::string("the class rare has no images in the split ") + splits[missing]});
  }
}

TEST_F(CsvSet, FingerprintCoversTargets) {
  const auto before = prepare(gaze);
  rows_[7].x = "0.5";
  const auto after = prepare(gaze);
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->info.fingerprint, after->info.fingerprint);
}

TEST_F(CsvSet, RefusesTrainingImagesThatAreAllEqual) {
  for (const auto& row : rows_)
    write(row.image, png_file(flat_image(1, 4, 4, 9)));
  expect_refused(prepare(gaze).map([](auto) {}), {"every pixel of channel 0", "is equal"});
}

}  // namespace
}  // namespace assay::test
