#include "compress/data/idx_set.hpp"

#include <zlib.h>

#include "harness/core/hash.hpp"
#include "tests/compress/data/folders.hpp"

namespace assay::test {
namespace {

/// A set of 3 x 3 images in 3 classes; image i of a file is all pixels i, its label i % 3.
class SmallIdxSet : public DataTest {
 protected:
  SmallIdxSet() {
    set_.name = "small";
    set_.training = {{"train-images", ""}, {"train-labels", ""}, 30};
    set_.testing = {{"test-images", ""}, {"test-labels", ""}, 9};
    set_.side = 3;
    set_.split = {3, 2, 7};
    set_.remedy = "ask for it";
    for (IdxPair* pair : {&set_.training, &set_.testing}) {
      std::string images{0, 0, 8, 3, 0, 0, 0, char(pair->count), 0, 0, 0, 3, 0, 0, 0, 3};
      std::string labels{0, 0, 8, 1, 0, 0, 0, char(pair->count)};
      for (int i = 0; i < pair->count; ++i) {
        images += std::string(9, char(i));
        labels += char(i % 3);
      }
      put(pair->images, images);
      put(pair->labels, labels);
    }
  }

  void put(SourceFile& file, const std::string& content) {
    file.sha256 = sha256_hex(content);
    write(file.name, content);
  }

  /// Replaces a file by its gzip form.
  void pack(const std::string& name) {
    const std::string content = read_text(folder() / name).value();
    const gzFile file = gzopen(path(name + ".gz").c_str(), "wb");
    gzwrite(file, content.data(), unsigned(content.size()));
    gzclose(file);
    std::filesystem::remove(folder() / name);
  }

  Result<ImageSet> load(Split split) const { return assay::load(set_, folder(), split); }

  IdxSet set_;
};

TEST_F(SmallIdxSet, IsDividedByTheOrderInTheFile) {
  const auto train = load(Split::train);
  ASSERT_TRUE(train) << train.error().message;
  // The first two of each class, images 0 to 5, are for validation.
  EXPECT_EQ(train->count, 24);
  EXPECT_EQ(train->origins.front(), 6U);
  EXPECT_EQ(int(*train->image(0)), 6);
  EXPECT_EQ(train->labels[1], 1);
  const auto calibration = load(Split::calibration);
  // 7 images of 3 classes are 3 + 2 + 2: images 6 to 11 and the next of class 0.
  EXPECT_EQ(calibration->origins, (std::vector<std::uint32_t>{6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(load(Split::test)->origins.front(), 30U);
  EXPECT_EQ(info_of(set_).training_images, train->count);
}

TEST_F(SmallIdxSet, HasDisjointSplits) {
  EXPECT_EQ(expect_disjoint_splits([&](Split split) { return load(split); }),
            (std::vector<int>{24, 6, 7, 9}));
}

TEST_F(SmallIdxSet, MayBePacked) {
  const auto plain = load(Split::train);
  for (const auto& file : set_.files())
    pack(file.name);
  EXPECT_TRUE(is_present(set_, folder()));
  EXPECT_TRUE(verify(set_, folder()));
  EXPECT_EQ(load(Split::train)->pixels, plain->pixels);
}

TEST_F(SmallIdxSet, IsVerifiedByWhatAPackedFileHolds) {
  auto content = read_text(folder() / "train-labels").value();
  content.back() ^= 1;
  write("train-labels", content);
  pack("train-labels");
  expect_refused(verify(set_, folder()),
                 {"train-labels.gz is damaged", sha256_hex(content), set_.training.labels.sha256});
}

TEST_F(SmallIdxSet, SaysHowToGetWhatIsMissing) {
  std::filesystem::remove(folder() / "test-images");
  EXPECT_FALSE(is_present(set_, folder()));
  EXPECT_TRUE(load(Split::train));
  expect_refused(load(Split::test).map([](auto) {}), {"test-images is missing: ask for it"});
}

TEST_F(SmallIdxSet, RefusesALabelThatIsNoClass) {
  set_.split.classes = 2;
  expect_refused(load(Split::train).map([](auto) {}), {"train-labels holds label 2"});
}

TEST(Mnist, IsKnownByItsPublishedChecksumsAndFetchedByThem) {
  EXPECT_EQ(mnist_package().files.size(), 4U);
  for (const auto& file : mnist_package().files)
    EXPECT_EQ(file.sha256.size(), 64U);
  EXPECT_NE(info_of(mnist()).fingerprint, info_of(fashion_mnist()).fingerprint);
}

}  // namespace
}  // namespace assay::test
