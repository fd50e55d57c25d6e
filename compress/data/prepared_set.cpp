#include "compress/data/prepared_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "compress/data/file_hashes.hpp"
#include "compress/data/image_file.hpp"
#include "compress/data/resize.hpp"
#include "compress/data/stable_split.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/json.hpp"
#include "harness/core/paths.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// Part of every fingerprint: a change of how images are decoded, resized, ordered or divided
/// changes its number.
constexpr std::string_view preparation_rule = "prepared-1";
constexpr int calibration_images = 512;
constexpr std::array stored_splits{Split::train, Split::validation, Split::test};

std::string pack_name(Split split) {
  return std::string(to_string(split)) + ".bin";
}

Result<std::string> fingerprint(const DatasetDescription& set, const SampleList& list) {
  const auto key = sha256_hex(fs::absolute(set.name).lexically_normal().string());
  FileHashes hashes(default_data() / "hashes" / key);
  Sha256 all;
  all.update(fmt::format("{}\n{}\n{}\n", preparation_rule, set.canonical, list.source_sha256));
  for (const Sample& sample : list.samples) {
    ASSAY_TRY(const auto hash, hashes.hash(sample.file));
    all.update(fmt::format("{} {}\n", hash, sample.identity));
  }
  ASSAY_CHECK(hashes.save());
  return all.hex();
}

/// Planes of a decoded image in the description's shape.
Result<std::vector<std::uint8_t>> read_planes(const DatasetDescription& set, const fs::path& file) {
  ASSAY_TRY(const auto bytes, read_bytes(file));
  ASSAY_TRY(auto image, decode_image(bytes));
  if (image.channels != set.channels && !set.convert_color)
    return fail(ErrorKind::bad_input,
                fmt::format("has {} channel(s), the description says {} (\"convert_color\": true "
                            "converts)",
                            image.channels, set.channels));
  image = set.channels == 1 ? to_grey(std::move(image)) : to_colour(std::move(image));
  image = resize_by_area(image, set.height, set.width);
  const auto channels = std::size_t(image.channels);
  std::vector<std::uint8_t> planes;
  planes.reserve(image.pixels.size());
  for (std::size_t channel = 0; channel < channels; ++channel)
    for (std::size_t i = channel; i < image.pixels.size(); i += channels)
      planes.push_back(image.pixels[i]);
  return planes;
}

/// Decodes images; those that cannot be used are counted and the first one's reason is kept.
class Decoder {
 public:
  explicit Decoder(const DatasetDescription& set) : set_(set) {}

  void add(const Sample& sample, std::vector<std::uint8_t>& pixels) {
    const auto planes = read_planes(set_, sample.file);
    if (planes) {
      pixels.insert(pixels.end(), planes->begin(), planes->end());
    } else if (bad_++ == 0) {
      first_ = fmt::format("{} {}", sample.file.string(), planes.error().message);
    }
  }

  Status status(std::size_t images) const {
    if (bad_ == 0) return {};
    return fail(ErrorKind::bad_input,
                fmt::format("{}: {} of {} images cannot be used; the first: {}", set_.name, bad_,
                            images, first_));
  }

 private:
  const DatasetDescription& set_;
  std::size_t bad_ = 0;
  std::string first_;
};

/// Mean and population deviation of each channel, from exact integer sums.
Result<Normalization> measure_normalization(const DatasetDescription& set,
                                            const std::vector<std::uint8_t>& pixels) {
  const std::size_t plane = std::size_t(set.height) * std::size_t(set.width);
  const std::size_t channels = std::size_t(set.channels);
  std::vector<std::uint64_t> sums(channels, 0);
  std::vector<std::uint64_t> squares(channels, 0);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t channel = i / plane % channels;
    sums[channel] += pixels[i];
    squares[channel] += std::uint64_t{pixels[i]} * pixels[i];
  }
  const double count = double(pixels.size() / channels);
  Normalization result;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double mean = double(sums[channel]) / count;
    const double variance = double(squares[channel]) / count - mean * mean;
    if (!(variance > 1e-9))
      return fail(ErrorKind::bad_input,
                  fmt::format("{}: every pixel of channel {} of the training images is equal",
                              set.name, channel));
    result.mean.push_back(float(mean / 255));
    result.deviation.push_back(float(std::sqrt(variance) / 255));
  }
  return result;
}

/// Decodes every image into `folder`.
Status fill(const DatasetDescription& set, const PreparedSet& prepared, const fs::path& folder) {
  Decoder decoder(set);
  std::map<Split, std::vector<std::uint8_t>> packs;
  for (std::size_t i = 0; i < prepared.splits.size(); ++i)
    decoder.add(prepared.list.samples[i], packs[prepared.splits[i]]);
  ASSAY_CHECK(decoder.status(prepared.splits.size()));
  Json json;
  for (const auto& [split, pixels] : packs) {
    const auto bytes = std::as_bytes(std::span(pixels));
    Sha256 hash;
    hash.update(bytes);
    json["sha256"][to_string(split)] = hash.hex();
    ASSAY_CHECK(write_atomically(folder / pack_name(split), bytes));
  }
  ASSAY_TRY(const auto measured, measure_normalization(set, packs[Split::train]));
  json["mean"] = measured.mean;
  json["deviation"] = measured.deviation;
  return write_atomically(folder / "set.json", json.dump(2));
}

void describe(const DatasetDescription& set, PreparedSet& prepared) {
  DatasetInfo& info = prepared.info;
  info.name = set.name;
  info.title = set.title;
  info.class_names = prepared.list.class_names;
  info.target_names = prepared.list.target_names;
  using enum DatasetInfo::Task;
  info.task = info.target_names.empty() ? classification : regression;
  info.classes = int(info.class_names.size());
  info.outputs = info.task == regression ? int(info.target_names.size()) : info.classes;
  info.channels = set.channels;
  info.height = set.height;
  info.width = set.width;
  info.training_images =
      int(std::count(prepared.splits.begin(), prepared.splits.end(), Split::train));
}

Result<KeptPixels> read_kept(const fs::path& folder) {
  const fs::path path = folder / "set.json";
  ASSAY_TRY(const auto json, read_json_file(path));
  JsonErrors errors(path.string());
  KeptPixels kept;
  {
    JsonObject object(json, "", errors);
    JsonObject sums = object.object("sha256");
    for (const Split split : stored_splits)
      kept.sha256[split] = sums.required<std::string>(std::string(to_string(split)));
    kept.measured = {object.list<float>("mean"), object.list<float>("deviation")};
  }
  ASSAY_CHECK(errors.status());
  return kept;
}

Result<std::vector<std::byte>> read_pack(const PreparedSet& set, Split split) {
  const fs::path path = set.folder / pack_name(split);
  const auto bytes = read_bytes(path);
  if (bytes) {
    Sha256 hash;
    hash.update(std::span<const std::byte>(*bytes));
    if (set.kept.sha256.at(split) == hash.hex()) return *bytes;
  }
  return fail(ErrorKind::bad_input,
              fmt::format("{}: the kept pixels {} are damaged: remove {}, it is made again",
                          set.info.name, path.string(), set.folder.string()));
}

}  // namespace

Result<PreparedSet> prepare_set(const std::string& path) {
  ASSAY_TRY(const auto description, read_description(path));
  PreparedSet set;
  ASSAY_TRY(set.list, list_samples(description));
  ASSAY_TRY(set.splits, divide(description, set.list));
  describe(description, set);
  ASSAY_TRY(set.info.fingerprint, fingerprint(description, set.list));
  set.folder = default_data() / "prepared" / set.info.fingerprint;
  std::error_code ignored;
  if (!fs::exists(set.folder, ignored)) {
    ASSAY_TRY(auto scratch, ScratchDirectory::create(set.folder.parent_path(), ".preparing-"));
    ASSAY_CHECK(fill(description, set, scratch.path()));
    ASSAY_CHECK(std::move(scratch).publish(set.folder));
  }
  ASSAY_TRY(set.kept, read_kept(set.folder));
  set.info.normalization = description.normalization.value_or(set.kept.measured);
  return set;
}

Result<ImageSet> load(const PreparedSet& set, Split split) {
  const bool calibration = split == Split::calibration;
  const Split stored = calibration ? Split::train : split;
  ASSAY_TRY(const auto bytes, read_pack(set, stored));
  ImageSet images;
  images.channels = set.info.channels;
  images.height = set.info.height;
  images.width = set.info.width;
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(bytes.data());
  images.reserve(int(bytes.size() / images.image_size()));
  for (std::size_t i = 0; i < set.splits.size(); ++i) {
    if (set.splits[i] != stored || (calibration && images.count == calibration_images)) continue;
    const Sample& sample = set.list.samples[i];
    images.append({pixels + std::size_t(images.count) * images.image_size(), images.image_size()},
                  std::uint32_t(i));
    if (sample.label >= 0) images.labels.push_back(std::uint16_t(sample.label));
    images.targets.insert(images.targets.end(), sample.targets.begin(), sample.targets.end());
  }
  return images;
}

Status verify(const PreparedSet& set) {
  for (const Split split : stored_splits)
    ASSAY_CHECK(read_pack(set, split));
  return {};
}

}  // namespace assay
