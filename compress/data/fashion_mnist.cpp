#include "compress/data/fashion_mnist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compress/data/idx.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"

namespace assay::fashion_mnist {
namespace {

constexpr int classes = 10;
constexpr int side = 28;
constexpr int validation_per_class = 500;
constexpr int calibration_images = 512;
/// Part of the fingerprint: a change of the rule that divides the images changes its number.
constexpr std::string_view split_rule = "first-500-per-class-1";

/// One file of the package dataset-fashion-mnist 0.0~git20200523.55506a9-1.
struct SourceFile {
  std::string_view name;
  std::string_view sha256;
};

/// Images and labels that belong together.
struct SourcePair {
  SourceFile images;
  SourceFile labels;
  int count;
};

constexpr SourcePair training{{"train-images-idx3-ubyte.gz",
                               "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"},
                              {"train-labels-idx1-ubyte.gz",
                               "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"},
                              60000};
constexpr SourcePair testing{{"t10k-images-idx3-ubyte.gz",
                              "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"},
                             {"t10k-labels-idx1-ubyte.gz",
                              "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"},
                             10000};

constexpr std::array<const SourceFile*, 4> files{&training.images, &training.labels,
                                                 &testing.images, &testing.labels};

/// The file's bytes, hashed before anything looks into them.
Result<std::vector<std::byte>> read_verified(const std::filesystem::path& folder,
                                             const SourceFile& file) {
  const auto path = folder / file.name;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    return fail(ErrorKind::bad_input,
                fmt::format("{} is missing: install the Debian package dataset-fashion-mnist, or "
                            "set ASSAY_DATA to a folder that holds fashion-mnist/{}",
                            path.string(), file.name));
  ASSAY_TRY(auto bytes, read_bytes(path));
  Sha256 hash;
  hash.update(std::span<const std::byte>(bytes));
  if (const std::string found = hash.hex(); found != file.sha256)
    return fail(ErrorKind::bad_input,
                fmt::format("{} is damaged or another version: SHA-256 is {}, expected {}; "
                            "reinstall the Debian package dataset-fashion-mnist",
                            path.string(), found, file.sha256));
  return bytes;
}

Result<std::vector<std::uint8_t>> read_array(const std::filesystem::path& folder,
                                             const SourceFile& file,
                                             const std::vector<int>& dimensions, int leading) {
  ASSAY_TRY(const auto bytes, read_verified(folder, file));
  return read_idx(bytes, dimensions, leading, (folder / file.name).string());
}

Status check_labels(const std::vector<std::uint8_t>& labels, const SourceFile& file) {
  const auto worst = std::max_element(labels.begin(), labels.end());
  if (worst != labels.end() && *worst >= classes)
    return fail(ErrorKind::bad_input, fmt::format("{} holds label {}; the classes are 0 to {}",
                                                  file.name, *worst, classes - 1));
  return {};
}

/// How many of the calibration images are of this class: as even as 512 in ten classes can be.
int calibration_quota(int label) {
  return calibration_images / classes + (label < calibration_images % classes ? 1 : 0);
}

/// Indices of a split's images, ascending.
std::vector<int> choose(const std::vector<std::uint8_t>& labels, Split split) {
  std::array<int, classes> seen{};
  std::vector<int> chosen;
  for (int i = 0; i < int(labels.size()); ++i) {
    const int label = labels[i];
    const int rank = seen[label]++;  // of this image within its class
    const int training_rank = rank - validation_per_class;
    const bool wanted = split == Split::test || (split == Split::validation && training_rank < 0) ||
                        (split == Split::train && training_rank >= 0) ||
                        (split == Split::calibration && training_rank >= 0 &&
                         training_rank < calibration_quota(label));
    if (wanted) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace

DatasetInfo info() {
  DatasetInfo info;
  info.name = "fashion-mnist";
  info.title = "Fashion-MNIST";
  info.classes = classes;
  info.channels = 1;
  info.height = side;
  info.width = side;
  info.class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  info.training_images = training.count - classes * validation_per_class;
  // Mean and population deviation over every pixel of the training split, five decimals.
  info.normalization = {{0.28592f}, {0.35290f}};
  Sha256 fingerprint;
  for (const SourceFile* file : files)
    fingerprint.update(file->sha256);
  fingerprint.update(split_rule);
  info.fingerprint = fingerprint.hex();
  return info;
}

Status verify(const std::filesystem::path& folder) {
  for (const SourceFile* file : files)
    ASSAY_CHECK(read_verified(folder, *file));
  return {};
}

Result<ImageSet> load(const std::filesystem::path& folder, Split split) {
  const SourcePair& source = split == Split::test ? testing : training;
  ASSAY_TRY(const auto labels, read_array(folder, source.labels, {source.count}, source.count));
  ASSAY_CHECK(check_labels(labels, source.labels));
  const std::vector<int> chosen = choose(labels, split);
  // Validation and calibration lie near the start of the file: unpack no further than needed.
  ASSAY_TRY(auto pixels,
            read_array(folder, source.images, {source.count, side, side}, chosen.back() + 1));
  ImageSet set;
  set.count = int(chosen.size());
  set.height = side;
  set.width = side;
  if (set.count == source.count) {
    set.pixels = std::move(pixels);
    set.labels = labels;
    return set;
  }
  set.pixels.reserve(chosen.size() * side * side);
  set.labels.reserve(chosen.size());
  for (int index : chosen) {
    constexpr std::ptrdiff_t size = std::ptrdiff_t{side} * side;
    const auto first = pixels.begin() + index * size;
    set.pixels.insert(set.pixels.end(), first, first + size);
    set.labels.push_back(labels[index]);
  }
  return set;
}

}  // namespace assay::fashion_mnist
