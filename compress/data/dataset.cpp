// The table of data sets and the public face of the folder.
#include "compress/data/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "compress/data/fashion_mnist.hpp"

namespace assay {
namespace {

struct DatasetRow {
  std::string_view name;      ///< also the folder below ASSAY_DATA
  const char* system_folder;  ///< where the Debian package puts the files
  DatasetInfo (*info)();
  Status (*verify)(const std::filesystem::path& folder);
  Result<ImageSet> (*load)(const std::filesystem::path& folder, Split split);
};

constexpr std::array<DatasetRow, 1> datasets{{
    {"fashion-mnist", fashion_mnist::system_folder, fashion_mnist::info, fashion_mnist::verify,
     fashion_mnist::load},
}};

Result<const DatasetRow*> find_row(const std::string& name) {
  const auto row = std::find_if(datasets.begin(), datasets.end(),
                                [&](const DatasetRow& each) { return each.name == name; });
  if (row != datasets.end()) return &*row;
  return fail(ErrorKind::bad_input, fmt::format("unknown data set '{}'; known: {}", name,
                                                fmt::join(known_datasets(), ", ")));
}

std::filesystem::path folder_of(const DatasetRow& row) {
  const char* override = std::getenv("ASSAY_DATA");
  if (override && *override) return std::filesystem::path(override) / row.name;
  return row.system_folder;
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

std::vector<std::string> known_datasets() {
  std::vector<std::string> names;
  for (const DatasetRow& row : datasets)
    names.emplace_back(row.name);
  return names;
}

Result<DatasetInfo> find_dataset(const std::string& name) {
  ASSAY_TRY(const DatasetRow* row, find_row(name));
  return row->info();
}

Status verify_dataset(const std::string& name) {
  ASSAY_TRY(const DatasetRow* row, find_row(name));
  return row->verify(folder_of(*row));
}

Result<ImageSet> load_split(const std::string& name, Split split) {
  ASSAY_TRY(const DatasetRow* row, find_row(name));
  return row->load(folder_of(*row), split);
}

}  // namespace assay
