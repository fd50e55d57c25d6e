#include <cmath>
#include <set>

#include "compress/data/prepared_set.hpp"
#include "compress/data/stable_split.hpp"
#include "tests/compress/data/folders.hpp"
#include "tests/compress/data/image_writer.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;

const std::string shape = R"("channels": 1, "height": 4, "width": 4)";

/// Folders of 30 "cats", 20 "dogs" and 10 "owls", each a grey image of its own value.
class FolderSet : public DataTest {
 protected:
  FolderSet() {
    int value = 0;
    for (const auto& [name, count] : {std::pair{"cats", 30}, {"dogs", 20}, {"owls", 10}})
      for (int i = 0; i < count; ++i)
        write(std::string("pets/") + name + "/" + std::to_string(i) + ".png",
              png_file(flat_image(1, 4, 4, std::uint8_t(value++))));
    describe();
  }

  void describe(const std::string& more = "") const {
    write("pets.json", R"({"kind": "folder", "path": "pets", )" + shape + more + "}");
  }
  std::string name() const { return path("pets.json"); }
  Result<PreparedSet> prepare() const { return prepare_set(name()); }
  Status refusal() const {
    return prepare().map([](auto) {});
  }
};

std::vector<int> per_class(const ImageSet& set, std::size_t classes) {
  std::vector<int> counts(classes);
  for (const auto label : set.labels)
    ++counts.at(label);
  return counts;
}

TEST_F(FolderSet, IsDescribedByItsFolders) {
  const auto info = find_dataset(name());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->name, name());
  EXPECT_EQ(info->title, "pets");
  EXPECT_EQ(info->task, DatasetInfo::Task::classification);
  EXPECT_EQ(info->class_names, (std::vector<std::string>{"cats", "dogs", "owls"}));
  EXPECT_EQ(info->outputs, 3);
  EXPECT_EQ(info->training_images, 42);
  EXPECT_TRUE(verify_dataset(name()));
}

TEST_F(FolderSet, HasDisjointStratifiedSplits) {
  EXPECT_EQ(expect_disjoint_splits([&](Split split) { return load_split(name(), split); }),
            (std::vector<int>{42, 6, 42, 12}));
  EXPECT_EQ(per_class(*load_split(name(), Split::train), 3), (std::vector<int>{21, 14, 7}));
  EXPECT_EQ(per_class(*load_split(name(), Split::validation), 3), (std::vector<int>{3, 2, 1}));
  EXPECT_EQ(per_class(*load_split(name(), Split::test), 3), (std::vector<int>{6, 4, 2}));
}

TEST_F(FolderSet, HoldsEveryImageOnceWithItsClass) {
  std::set<int> values;
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    const auto set = load_split(name(), split);
    ASSERT_TRUE(set);
    for (int i = 0; i < set->count; ++i) {
      const int value = *set->image(i);
      values.insert(value);
      EXPECT_EQ(set->labels[std::size_t(i)], value < 30 ? 0 : value < 50 ? 1 : 2);
    }
  }
  EXPECT_EQ(values.size(), 60U);
}

TEST_F(FolderSet, CalibratesWithTheFirstTrainingImages) {
  for (int i = 0; i < 900; ++i)
    write("pets/cats/more" + std::to_string(i) + ".png", png_file(flat_image(1, 4, 4, 9)));
  const auto train = load_split(name(), Split::train);
  const auto calibration = load_split(name(), Split::calibration);
  ASSERT_TRUE(train && calibration);
  EXPECT_EQ(calibration->count, 512);
  EXPECT_TRUE(
      std::equal(calibration->pixels.begin(), calibration->pixels.end(), train->pixels.begin()));
}

TEST_F(FolderSet, KeepsItsSplitsWhereverItLies) {
  const auto before = prepare();
  fs::rename(folder() / "pets", folder() / "moved");
  write("moved.json", R"({"kind": "folder", "path": "moved", )" + shape + "}");
  const auto after = prepare_set(path("moved.json"));
  ASSERT_TRUE(before && after);
  EXPECT_EQ(load(*before, Split::test)->pixels, load(*after, Split::test)->pixels);
}

TEST_F(FolderSet, MeasuresItsNormalizationOnTheTrainingSplit) {
  const auto train = load_split(name(), Split::train);
  double sum = 0;
  double squares = 0;
  for (const double pixel : train->pixels) {
    sum += pixel / 255;
    squares += pixel / 255 * pixel / 255;
  }
  const double mean = sum / double(train->pixels.size());
  const auto info = find_dataset(name());
  EXPECT_NEAR(info->normalization.mean.at(0), mean, 1e-6);
  EXPECT_NEAR(info->normalization.deviation.at(0),
              std::sqrt(squares / double(train->pixels.size()) - mean * mean), 1e-6);
  describe(R"(, "normalization": {"mean": [0.25], "deviation": [0.5]})");
  EXPECT_EQ(find_dataset(name())->normalization.mean, std::vector<float>{0.25F});
}

TEST_F(FolderSet, FingerprintCoversDescriptionAndEveryImage) {
  std::set<std::string> prints;
  const auto add = [&] { return prints.insert(prepare()->info.fingerprint).second; };
  EXPECT_TRUE(add());
  EXPECT_FALSE(add());
  write("pets/owls/3.png", png_file(flat_image(1, 4, 4, 200)));
  EXPECT_TRUE(add());
  fs::rename(folder() / "pets/owls/4.png", folder() / "pets/owls/four.png");
  EXPECT_TRUE(add());
  write("pets/owls/new.png", png_file(flat_image(1, 4, 4, 201)));
  EXPECT_TRUE(add());
  describe(R"(, "splits": {"test": 0.3})");
  EXPECT_TRUE(add());
}

TEST_F(FolderSet, ChangesAreNoticedWithinAProcess) {
  const auto before = find_dataset(name());
  describe(R"(, "splits": {"test": 0.4})");
  const auto after = find_dataset(name());
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->fingerprint, after->fingerprint);
  EXPECT_LT(after->training_images, before->training_images);
}

TEST_F(FolderSet, DecodesItsImagesOnce) {
  ASSERT_TRUE(prepare());
  const auto kept = prepare()->folder;
  // What is kept is read, and verified by its own hash.
  auto planted = read_text(kept / "test.bin").value();
  planted[0] = char(planted[0] ^ 1);
  ASSERT_TRUE(write_atomically(kept / "test.bin", planted));
  expect_refused(load(*prepare(), Split::test).map([](auto) {}),
                 {"the kept pixels", "test.bin are damaged: remove"});
  expect_refused(verify_dataset(name()), {"test.bin are damaged"});
  fs::remove_all(kept);
  EXPECT_TRUE(verify_dataset(name()));
  EXPECT_TRUE(load(*prepare(), Split::test));
}

TEST_F(FolderSet, ReadsJpegAndResizes) {
  for (int i = 0; i < 10; ++i) {
    const std::string file = "pets/owls/" + std::to_string(i);
    fs::remove(folder() / (file + ".png"));
    write(file + ".JPG", jpeg_file(flat_image(1, 40, 24, 222)));
  }
  const auto test = load_split(name(), Split::test);
  ASSERT_TRUE(test) << test.error().message;
  int owls = 0;
  for (int i = 0; i < test->count; ++i) {
    if (test->labels[std::size_t(i)] != 2) continue;
    ++owls;
    for (int p = 0; p < 16; ++p)
      EXPECT_NEAR(test->image(i)[p], 222, 1);
  }
  EXPECT_EQ(owls, 2);
}

TEST_F(FolderSet, CountsAndNamesDamagedImages) {
  const std::string whole = png_file(flat_image(1, 4, 4, 1));
  write("pets/cats/3.png", whole.substr(0, 40));
  write("pets/dogs/5.png", "no image");
  expect_refused(refusal(), {"pets.json: 2 of 60 images cannot be used; the first: ", ".png is"});
  EXPECT_FALSE(verify_dataset(name()));
  write("pets/cats/3.png", whole);
  expect_refused(refusal(), {"1 of 60", "pets/dogs/5.png is neither a PNG nor a JPEG"});
  // Nothing half-made stays.
  EXPECT_TRUE(fs::is_empty(folder() / "user-cache/assay-data/prepared"));
}

TEST_F(FolderSet, RefusesColourWhereGreyIsDescribedUnlessToldToConvert) {
  write("pets/cats/3.png", png_file(flat_image(3, 4, 4, 77)));
  expect_refused(refusal(), {"1 of 60", "pets/cats/3.png has 3 channel(s), the description says 1",
                             "convert_color"});
  describe(R"(, "convert_color": true)");
  EXPECT_TRUE(prepare());
}

struct BadFolder {
  const char* what;
  std::function<void(const fs::path& pets)> spoil;
  std::vector<std::string> words;
};

class BadFolders : public FolderSet, public ::testing::WithParamInterface<BadFolder> {};

TEST_P(BadFolders, AreRefusedInOneSentence) {
  GetParam().spoil(folder() / "pets");
  expect_refused(refusal(), GetParam().words);
}

void keep_only(const fs::path& folder, const std::set<std::string>& names) {
  std::vector<fs::path> doomed;
  for (const auto& entry : fs::directory_iterator(folder))
    if (!names.contains(entry.path().filename().string())) doomed.push_back(entry.path());
  for (const auto& path : doomed)
    fs::remove_all(path);
}

INSTANTIATE_TEST_SUITE_P(
    Data, BadFolders,
    ::testing::Values(BadFolder{"no folder",
                                [](const fs::path& pets) { fs::remove_all(pets); },
                                {"cannot read", "pets: No such file"}},
                      BadFolder{"a class without images",
                                [](const fs::path& pets) { fs::create_directory(pets / "yaks"); },
                                {"the class yaks has no images", "pets/yaks"}},
                      BadFolder{"an image in no class",
                                [](const fs::path& pets) {
                                  fs::copy_file(pets / "cats/1.png", pets / "stray.png");
                                },
                                {"stray.png belongs to no class"}},
                      BadFolder{"a file that is no image",
                                [](const fs::path& pets) {
                                  fs::rename(pets / "cats/1.png", pets / "cats/notes.txt");
                                },
                                {"cats/notes.txt is no PNG or JPEG"}},
                      BadFolder{"one class only",
                                [](const fs::path& pets) { keep_only(pets, {"cats"}); },
                                {"has 1 class(es); a classification needs two"}},
                      BadFolder{"a class too small for three splits",
                                [](const fs::path& pets) {
                                  keep_only(pets / "owls", {"1.png", "2.png"});
                                },
                                {"the number of images of the class owls is 2", "need 3"}}),
    [](const auto& test) {
      std::string name = test.param.what;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

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
               {"line 9: the image crops/3.png is there twice, first at", "line 5"}},
        BadCsv{"MissingColumn",
               nothing,
               R"("targets": ["x", "z"])",
               {"gaze.csv has no column \"z\"; its columns are image, subject, x, y, part"}},
        BadCsv{"OneClass", set_field(4, "train"), R"("class": "none")", {"no column \"none\""}},
        BadCsv{"SubjectsAreClasses",
               nothing,
               R"("class": "subject", "subject": "subject")",
               {"has no training images"}}),
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
