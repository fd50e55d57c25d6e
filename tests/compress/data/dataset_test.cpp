#include "compress/data/dataset.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <numeric>
#include <set>

#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/process.hpp"
#include "tests/compress/data/folders.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path installed = "/usr/share/datasets/fashion-mnist";

class FashionMnist : public ::testing::Test {
 protected:
  void SetUp() override { unsetenv("ASSAY_DATA"); }
  void TearDown() override { unsetenv("ASSAY_DATA"); }

  /// A folder for ASSAY_DATA with links to the installed files.
  fs::path linked_copy() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    const fs::path root = fs::path(::testing::TempDir()) / "assay_data" / test->name();
    fs::remove_all(root);
    fs::create_directories(root / "fashion-mnist");
    for (const auto& file : fs::directory_iterator(installed))
      fs::create_symlink(file.path(), root / "fashion-mnist" / file.path().filename());
    setenv("ASSAY_DATA", root.c_str(), 1);
    return root / "fashion-mnist";
  }

  static ImageSet load(Split split) {
    auto set = load_split("fashion-mnist", split);
    EXPECT_TRUE(set) << set.error().message;
    return set ? std::move(*set) : ImageSet{};
  }
};

std::vector<int> per_class(const ImageSet& set) {
  std::vector<int> counts(10);
  for (const auto label : set.labels)
    ++counts.at(label);
  return counts;
}

/// One number for every image with its label, sorted: a split as a multiset.
std::vector<std::size_t> identities(const ImageSet& set) {
  std::vector<std::size_t> hashes;
  for (int i = 0; i < set.count; ++i) {
    std::string content(reinterpret_cast<const char*>(set.image(i)), 28 * 28);
    content += char(set.labels[i]);
    hashes.push_back(std::hash<std::string>{}(content));
  }
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

/// The whole training file, unpacked by another program.
ImageSet unpacked_by_zcat() {
  ImageSet set{60000, 1, 28, 28};
  auto unpack = [](const char* name, std::size_t header) {
    ProcessSpec spec;
    spec.arguments = {"zcat", (installed / name).string()};
    auto outcome = run_process(spec);
    EXPECT_TRUE(outcome && outcome->exit_code == 0);
    return std::vector<std::uint8_t>(outcome->output.begin() + std::ptrdiff_t(header),
                                     outcome->output.end());
  };
  set.pixels = unpack("train-images-idx3-ubyte.gz", 16);
  const auto labels = unpack("train-labels-idx1-ubyte.gz", 8);
  set.labels.assign(labels.begin(), labels.end());
  return set;
}

TEST_F(FashionMnist, IsDescribedWithoutBeingRead) {
  setenv("ASSAY_DATA", "/nowhere", 1);
  const auto info = find_dataset("fashion-mnist");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->name, "fashion-mnist");
  EXPECT_EQ(info->classes, 10);
  EXPECT_EQ(info->class_names.size(), 10u);
  EXPECT_EQ(info->channels * info->height * info->width, 784);
  EXPECT_EQ(info->outputs, 10);
  EXPECT_EQ(info->fingerprint.size(), 64u);
}

TEST_F(FashionMnist, IsTheInstalledPackage) {
  const auto status = verify_dataset("fashion-mnist");
  EXPECT_TRUE(status) << status.error().message;
}

struct SplitCase {
  Split split;
  std::vector<int> classes;
};

class Splits : public FashionMnist, public ::testing::WithParamInterface<SplitCase> {};

TEST_P(Splits, HaveTheStatedClasses) {
  const ImageSet set = load(GetParam().split);
  const int total = std::accumulate(GetParam().classes.begin(), GetParam().classes.end(), 0);
  EXPECT_EQ(set.count, total);
  EXPECT_EQ(set.labels.size(), std::size_t(total));
  EXPECT_EQ(set.pixels.size(), std::size_t(total) * 784);
  EXPECT_EQ(per_class(set), GetParam().classes);
}

INSTANTIATE_TEST_SUITE_P(
    All, Splits,
    ::testing::Values(SplitCase{Split::train, std::vector<int>(10, 5500)},
                      SplitCase{Split::validation, std::vector<int>(10, 500)},
                      SplitCase{Split::calibration, {52, 52, 51, 51, 51, 51, 51, 51, 51, 51}},
                      SplitCase{Split::test, std::vector<int>(10, 1000)}),
    [](const auto& split) { return std::string(to_string(split.param.split)); });

TEST_F(FashionMnist, TrainAndValidationAreTheWholeSourceAndShareNothing) {
  const auto train = identities(load(Split::train));
  const auto validation = identities(load(Split::validation));
  const auto calibration = identities(load(Split::calibration));
  std::vector<std::size_t> both;
  std::merge(train.begin(), train.end(), validation.begin(), validation.end(),
             std::back_inserter(both));
  EXPECT_EQ(both, identities(unpacked_by_zcat()));
  EXPECT_TRUE(std::includes(train.begin(), train.end(), calibration.begin(), calibration.end()));
}

/// Read from the package with `zcat FILE | od -An -tu1 -w28 -j$((16 + 784 * N + 14 * 28)) -N28`
/// (row 14 of image N) and `zcat FILE | od -An -tu1 -j$((8 + N)) -N1` (its label).
struct KnownImage {
  const char* what;
  Split split;
  bool last;
  int label;
  std::vector<int> row14;
};

class KnownImages : public FashionMnist, public ::testing::WithParamInterface<KnownImage> {};

TEST_P(KnownImages, AreWhereTheRulePutsThem) {
  const KnownImage& known = GetParam();
  const ImageSet set = load(known.split);
  const int index = known.last ? set.count - 1 : 0;
  EXPECT_EQ(int(set.labels[index]), known.label);
  const std::uint8_t* row = set.image(index) + 14 * 28;
  EXPECT_EQ(std::vector<int>(row, row + 28), known.row14);
}

INSTANTIATE_TEST_SUITE_P(
    All, KnownImages,
    ::testing::Values(
        KnownImage{
            "train file, image 0", Split::validation, false, 9, {0,   0,   1,   4,   6,   7,   2,
                                                                 0,   0,   0,   0,   0,   237, 226,
                                                                 217, 223, 222, 219, 222, 221, 216,
                                                                 223, 229, 215, 218, 255, 77,  0}},
        KnownImage{"train file, image 5402",
                   Split::validation,
                   true,
                   0,
                   {0,   0,   1,   2,   1,   3,   0,   0,  130, 113, 121, 113, 120, 116,
                    117, 115, 115, 115, 117, 115, 137, 37, 0,   3,   1,   1,   0,   0}},
        KnownImage{
            "train file, image 4548", Split::train, false, 1, {0,  0,   0,   0,   0,   0,   0,
                                                               0,  0,   0,   201, 138, 195, 124,
                                                               61, 229, 130, 211, 24,  0,   0,
                                                               0,  0,   0,   0,   0,   0,   0}},
        KnownImage{
            "train file, image 59999", Split::train, true, 5, {0,   0,   0,   0,  9,   56, 144,
                                                               133, 129, 153, 34, 0,   3,  3,
                                                               0,   3,   0,   24, 104, 89, 104,
                                                               109, 0,   0,   0,  1,   1,  0}},
        KnownImage{"train file, image 4548",
                   Split::calibration,
                   false,
                   1,
                   {0,  0,   0,   0,   0,  0, 0, 0, 0, 0, 201, 138, 195, 124,
                    61, 229, 130, 211, 24, 0, 0, 0, 0, 0, 0,   0,   0,   0}},
        KnownImage{"train file, image 5918",
                   Split::calibration,
                   true,
                   0,
                   {0,   0,   0,   39,  229, 195, 254, 0,   72,  246, 181, 192, 191, 191,
                    191, 191, 189, 189, 226, 42,  0,   255, 197, 233, 23,  0,   0,   0}},
        KnownImage{"test file, image 0", Split::test, false, 9, {0,   0,   0,   0,   0,   0,   2,
                                                                 4,   1,   0,   0,   0,   98,  136,
                                                                 110, 109, 110, 162, 135, 144, 149,
                                                                 159, 167, 144, 158, 169, 119, 0}},
        KnownImage{
            "test file, image 9999", Split::test, true, 5, {0,   0,   1,   0,   4,   71,  32,
                                                            37,  45,  45,  69,  128, 100, 120,
                                                            132, 123, 135, 171, 179, 161, 127,
                                                            122, 183, 100, 39,  68,  76,  0}}));

TEST_F(FashionMnist, NormalizationIsThatOfTheTrainingSplit) {
  const ImageSet train = load(Split::train);
  double sum = 0;
  double squares = 0;
  for (std::uint8_t pixel : train.pixels) {
    sum += pixel / 255.0;
    squares += (pixel / 255.0) * (pixel / 255.0);
  }
  const double mean = sum / double(train.pixels.size());
  const auto info = find_dataset("fashion-mnist");
  ASSERT_TRUE(info);
  // Stated with five decimals.
  EXPECT_NEAR(info->normalization.mean.at(0), mean, 1e-5);
  EXPECT_NEAR(info->normalization.deviation.at(0),
              std::sqrt(squares / double(train.pixels.size()) - mean * mean), 1e-5);
}

TEST_F(FashionMnist, ReadsFromTheFolderAssayDataNames) {
  const fs::path folder = linked_copy();
  // A split needs its own two files and no others.
  fs::remove(folder / "train-images-idx3-ubyte.gz");
  fs::remove(folder / "train-labels-idx1-ubyte.gz");
  EXPECT_EQ(load(Split::test).count, 10000);
}

TEST_F(FashionMnist, SaysWhichPackageBringsAMissingFile) {
  fs::remove(linked_copy() / "t10k-labels-idx1-ubyte.gz");
  const auto set = load_split("fashion-mnist", Split::test);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(set.error().message,
              AllOf(HasSubstr("t10k-labels-idx1-ubyte.gz is missing"),
                    HasSubstr("dataset-fashion-mnist"), HasSubstr("ASSAY_DATA")));
  const auto status = verify_dataset("fashion-mnist");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, set.error().message);
}

TEST_F(FashionMnist, RefusesAFileWithAnotherChecksum) {
  const fs::path file = linked_copy() / "t10k-labels-idx1-ubyte.gz";
  auto content = read_text(file);
  ASSERT_TRUE(content);
  const std::string expected = sha256_hex(*content);
  for (const char* damage : {"flipped", "truncated"}) {
    std::string damaged = *content;
    if (damage == std::string("flipped"))
      damaged[100] = char(damaged[100] ^ 1);
    else
      damaged.resize(damaged.size() / 2);
    fs::remove(file);
    ASSERT_TRUE(write_atomically(file, damaged));
    for (const Status& status :
         {verify_dataset("fashion-mnist"),
          Status(load_split("fashion-mnist", Split::test).map([](auto) {}))}) {
      ASSERT_FALSE(status) << damage;
      EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
      EXPECT_THAT(status.error().message,
                  AllOf(HasSubstr(file.string()), HasSubstr("SHA-256 is " + sha256_hex(damaged)),
                        HasSubstr("expected " + expected)));
    }
  }
}

TEST_F(FashionMnist, UnknownSetIsAnsweredWithTheKnownOnes) {
  for (const Status& status :
       {verify_dataset("mnist-in-oil"), Status(find_dataset("mnist-in-oil").map([](auto) {})),
        Status(load_split("mnist-in-oil", Split::test).map([](auto) {})),
        Status(locate_dataset("mnist-in-oil").map([](auto) {})),
        fetch_dataset("mnist-in-oil", {})}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(status.error().message,
                AllOf(HasSubstr("'mnist-in-oil'"), HasSubstr("fashion-mnist, mnist, cifar10")));
  }
}

TEST_F(FashionMnist, HasDisjointSplits) {
  EXPECT_EQ(test::expect_disjoint_splits(load), (std::vector<int>{55000, 5000, 512, 10000}));
}

/// The sets that are fetched on command, where nobody has fetched them.
class NotFetched : public test::DataTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(NotFetched, AreDescribedAndSayHowToGetThem) {
  const auto info = find_dataset(GetParam());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->name, GetParam());
  EXPECT_EQ(info->normalization.mean.size(), std::size_t(info->channels));
  const auto place = locate_dataset(GetParam());
  ASSERT_TRUE(place);
  EXPECT_FALSE(place->present);
  EXPECT_TRUE(place->fetched);
  EXPECT_EQ(place->folder, folder() / "user-cache" / "assay-data" / GetParam());
  test::expect_refused(load_split(GetParam(), Split::train).map([](auto) {}),
                       {"is missing: assay data fetch " + GetParam() + " brings it", "ASSAY_DATA"});
}

INSTANTIATE_TEST_SUITE_P(All, NotFetched, ::testing::ValuesIn(fetched_datasets()));

TEST(Datasets, HaveNamesAndFingerprintsOfTheirOwn) {
  EXPECT_THAT(known_datasets(), ElementsAre("fashion-mnist", "mnist", "cifar10", "pointing"));
  EXPECT_THAT(fetched_datasets(), ElementsAre("mnist", "cifar10"));
  std::set<std::string> fingerprints;
  for (const auto& name : known_datasets())
    EXPECT_TRUE(fingerprints.insert(find_dataset(name)->fingerprint).second) << name;
  test::expect_refused(fetch_dataset("fashion-mnist", {}),
                       {"fashion-mnist is not fetched; assay data fetch brings mnist, cifar10"});
}

TEST(Datasets, MadeByAssayCannotBeMissing) {
  const auto place = locate_dataset("pointing");
  ASSERT_TRUE(place);
  EXPECT_TRUE(place->present);
  EXPECT_EQ(place->folder, "");
  EXPECT_TRUE(verify_dataset("pointing"));
}

}  // namespace
}  // namespace assay
