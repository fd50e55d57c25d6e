// The JSON file by which a user describes a data set (docs/data.md). Thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compress/data/dataset.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// Images in sub-folders, one a class.
struct FolderSource {
  std::filesystem::path path;
};

/// Images named by a CSV file, with a class or with target values each.
struct CsvSource {
  std::filesystem::path path;
  std::filesystem::path images;  ///< the folder that image paths are relative to
  std::string image_column = "image";
  std::optional<std::string> class_column;  ///< this one,
  std::vector<std::string> target_columns;  ///< or these
  std::optional<std::string> subject_column;
  std::optional<std::string> split_column;
};

/// Parts of the images (or of the subjects) that are not for training, each above 0.
struct SplitParts {
  double validation = 0.1;
  double test = 0.2;
};

struct DatasetDescription {
  std::string name;   ///< the path it was named by: "eyes.json"
  std::string title;  ///< the file's name without ".json" unless given
  std::variant<FolderSource, CsvSource> source;
  int channels = 1;
  int height = 0;  ///< every image is resized to height x width
  int width = 0;
  bool convert_color = false;  ///< images of the other number of channels are converted
  SplitParts parts;
  std::optional<Normalization> normalization;  ///< of the training split unless given
  std::string canonical;                       ///< the whole description, for fingerprints
};

/// Reads a description; paths in it are relative to its own folder and come back as such that can
/// be opened. Errors: bad_input with the path of the bad field: unknown, missing, of the wrong
/// type, out of range; or the file cannot be read.
Result<DatasetDescription> read_description(const std::string& path);

}  // namespace assay
