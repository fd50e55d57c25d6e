// The images a description stands for, with their answers; no image is opened. Thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "compress/data/description.hpp"

namespace assay {

/// One image of a described set.
struct Sample {
  std::string identity;        ///< its path inside the set, '/' between folders
  std::filesystem::path file;  ///< can be opened
  std::string where;           ///< for messages: the file, or the line of the CSV
  int label = -1;              ///< index into class_names; -1 for regression
  std::vector<float> targets;  ///< empty for classification
  std::string subject;         ///< empty when the set has none
  std::optional<Split> split;  ///< as the source says; never calibration
};

struct SampleList {
  std::vector<Sample> samples;            ///< mixed: see list_samples
  std::vector<std::string> class_names;   ///< sorted; empty for regression
  std::vector<std::string> target_names;  ///< empty for classification
  bool has_subjects = false;
  std::string source_sha256;  ///< of the CSV file; empty for a folder
};

/// A number that depends on nothing but the text, evenly spread: the first 64 bits of its SHA-256.
/// Sorting by it mixes classes and subjects in an order that never changes.
std::uint64_t stable_hash(const std::string& text);

/// Lists the samples, mixed: by the stable hash of their identities, so that the first N of any
/// split are a fair choice of it. Errors: bad_input: a folder or file that is missing; a file that
/// is no image; a class with no images; fewer than two classes; in a CSV, a missing column, an
/// empty field, a target that is no number, an image listed twice or missing (how many, and the
/// first), an unknown split.
Result<SampleList> list_samples(const DatasetDescription& set);

}  // namespace assay
