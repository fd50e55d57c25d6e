#include "compress/data/cifar10.hpp"

#include "harness/core/hash.hpp"
#include "tests/compress/data/folders.hpp"
#include "tests/compress/data/image_writer.hpp"

namespace assay::test {
namespace {

constexpr int per_batch = 40;

/// Pixel of channel c at position p of image i of a batch.
std::uint8_t pixel(int batch, int i, int c, int p) {
  return std::uint8_t(50 * c + 7 * i + p + 13 * batch);
}

/// A set of two training batches and a test batch, in both forms.
class SmallCifar : public DataTest {
 protected:
  SmallCifar() {
    set_.images_per_batch = per_batch;
    set_.split = {10, 1, 12};
    set_.remedy = "ask for it";
    set_.training.resize(2);
    std::string labels;
    for (int b = 0; b < 3; ++b) {
      CifarBatch& batch = b < 2 ? set_.training[std::size_t(b)] : set_.testing;
      std::string binary;
      for (int i = 0; i < per_batch; ++i) {
        binary += char(i % 10);
        for (int c = 0; c < 3; ++c)
          for (int p = 0; p < 1024; ++p)
            binary += char(pixel(b, i, c, p));
      }
      RawImage sheet{3, per_batch, 1024, {}};
      for (int i = 0; i < per_batch; ++i)
        for (int p = 0; p < 1024; ++p)
          for (int c = 0; c < 3; ++c)
            sheet.pixels.push_back(pixel(b, i, c, p));
      put(batch.binary, "batch" + std::to_string(b) + ".bin", binary);
      put(batch.sheet, "batch" + std::to_string(b) + ".png", png_file(sheet));
    }
    for (int i = 0; i < per_batch; ++i)
      labels += (i ? "," : "") + std::to_string(i % 10);
    put(set_.training_labels, "train.json", "[" + labels + "," + labels + "]");
    put(set_.testing_labels, "test.json", "[" + labels + "]");
  }

  void put(SourceFile& file, const std::string& name, const std::string& content) {
    file = {name, sha256_hex(content)};
    write(name, content);
  }

  void remove(const std::string& ending) {
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
      if (entry.path().string().ends_with(ending)) std::filesystem::remove(entry.path());
  }

  Result<ImageSet> load(Split split) const { return assay::load(set_, folder(), split); }

  CifarSet set_;
};

TEST_F(SmallCifar, HoldsPlanesAndLabelsOfTheBinaryBatches) {
  const auto train = load(Split::train);
  ASSERT_TRUE(train) << train.error().message;
  // One image of each class, 0 to 9, is for validation; 45 is image 5 of the second batch.
  EXPECT_EQ(train->count, 70);
  const auto at = std::find(train->origins.begin(), train->origins.end(), 45U);
  ASSERT_NE(at, train->origins.end());
  const int index = int(at - train->origins.begin());
  EXPECT_EQ(train->labels[std::size_t(index)], 5);
  for (int c = 0; c < 3; ++c)
    for (const int p : {0, 33, 1023})
      EXPECT_EQ(train->image(index)[c * 1024 + p], pixel(1, 5, c, p));
}

TEST_F(SmallCifar, IsTheSameFromSheets) {
  const auto binary = load(Split::train);
  remove(".bin");
  EXPECT_TRUE(is_present(set_, folder()));
  const auto sheets = load(Split::train);
  ASSERT_TRUE(sheets) << sheets.error().message;
  EXPECT_EQ(sheets->pixels, binary->pixels);
  EXPECT_EQ(sheets->labels, binary->labels);
  EXPECT_TRUE(verify(set_, folder()));
}

TEST_F(SmallCifar, HasDisjointSplits) {
  EXPECT_EQ(expect_disjoint_splits([&](Split split) { return load(split); }),
            (std::vector<int>{70, 10, 12, 40}));
}

TEST_F(SmallCifar, SaysHowToGetWhatIsMissing) {
  remove(".bin");
  remove("batch1.png");
  EXPECT_FALSE(is_present(set_, folder()));
  expect_refused(verify(set_, folder()), {"batch1.bin is missing: ask for it"});
}

TEST_F(SmallCifar, RefusesDamage) {
  auto content = read_text(folder() / "batch2.bin").value();
  content[5000] ^= 1;
  write("batch2.bin", content);
  EXPECT_TRUE(load(Split::train));
  expect_refused(load(Split::test).map([](auto) {}),
                 {"batch2.bin is damaged", set_.testing.binary.sha256});
}

TEST_F(SmallCifar, RefusesSheetsThatAreNotTheBatch) {
  remove(".bin");
  // Intact files, but the labels of image 0 and 1 have changed places.
  auto labels = read_text(folder() / "test.json").value();
  std::swap(labels[1], labels[3]);
  put(set_.testing_labels, "test.json", labels);
  expect_refused(load(Split::test).map([](auto) {}),
                 {"batch2.png holds other images or labels than batch2.bin"});
  put(set_.testing_labels, "test.json", "[1, 2]");
  expect_refused(load(Split::test).map([](auto) {}), {"test.json is not a list of 40 labels"});
  put(set_.testing.sheet, "batch2.png", png_file(flat_image(3, per_batch, 1023, 0)));
  put(set_.testing_labels, "test.json", labels);
  expect_refused(load(Split::test).map([](auto) {}), {"batch2.png has 40 rows of 1023 pixels"});
}

TEST(Cifar10, IsFetchedAsSheetsAndLabels) {
  EXPECT_EQ(cifar10_package().files.size(), 8U);
  EXPECT_EQ(info_of(cifar10()).training_images, 45000);
  EXPECT_EQ(info_of(cifar10()).normalization.mean.size(), 3U);
}

}  // namespace
}  // namespace assay::test
