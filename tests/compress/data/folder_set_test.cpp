// Sets described by folders, and what every described set has in common.
#include <cmath>
#include <set>

#include "compress/data/prepared_set.hpp"
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

TEST_F(FolderSet, AnImageThatChangesDuringARunIsNoticed) {
  const auto print = find_dataset(name())->fingerprint;
  EXPECT_TRUE(check_unchanged(name(), print));
  write("pets/owls/3.png", png_file(flat_image(1, 4, 4, 200)));
  const auto changed = check_unchanged(name(), print);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(changed.error().message, name() + " changed while the run was going; run again");
  fs::remove(folder() / "pets/owls/3.png");
  EXPECT_FALSE(check_unchanged(name(), print));
  write("pets/owls/3.png", png_file(flat_image(1, 4, 4, 53)));  // as it was
  EXPECT_TRUE(check_unchanged(name(), print));
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
    ::testing::Values(
        BadFolder{"a name in another encoding",
                  [](const fs::path& pets) { fs::rename(pets / "cats", pets / "caf\xe9"); },
                  {"pets/caf\\xe9 names a class in bytes that are not UTF-8: rename"}},
        BadFolder{"no folder",
                  [](const fs::path& pets) { fs::remove_all(pets); },
                  {"path names ", "pets, which does not exist"}},
        BadFolder{"a class without images",
                  [](const fs::path& pets) { fs::create_directory(pets / "yaks"); },
                  {"the class yaks has no images", "pets/yaks"}},
        BadFolder{
            "an image in no class",
            [](const fs::path& pets) { fs::copy_file(pets / "cats/1.png", pets / "stray.png"); },
            {"stray.png belongs to no class"}},
        BadFolder{
            "a file that is no image",
            [](const fs::path& pets) { fs::rename(pets / "cats/1.png", pets / "cats/notes.txt"); },
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

}  // namespace
}  // namespace assay::test
