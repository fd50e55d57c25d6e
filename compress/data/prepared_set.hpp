// A described set made ready: listed, hashed, divided, and every image decoded once and kept, so
// that the many processes of a run read plain pixels. Thread-safe.
//
// default_data()/hashes/<hash of the description's path> is the index of file hashes;
// default_data()/prepared/<fingerprint>/ holds train.bin, validation.bin and test.bin
// ([images][channels][height][width] bytes) and set.json (their SHA-256, the mean and deviation of
// the training split). The folder appears whole or not at all. Nothing there is lost when removed:
// it is made again.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "compress/data/description.hpp"
#include "compress/data/sample_list.hpp"

namespace assay {

/// What set.json says of the kept pixels.
struct KeptPixels {
  std::map<Split, std::string> sha256;  ///< of the file of each split but calibration
  Normalization measured;               ///< over the training split
};

struct PreparedSet {
  DatasetInfo info;
  SampleList list;
  std::vector<Split> splits;     ///< of every sample
  std::filesystem::path folder;  ///< of the kept pixels
  KeptPixels kept;
};

/// Looks at every file of a described set and decodes its images unless that was done before. The
/// fingerprint covers the description, the CSV and the content of every image. Errors: those of
/// read_description, list_samples and divide; bad_input for images that cannot be used (how many,
/// and the first: damaged, of another number of channels), for training pixels that are all equal;
/// infrastructure when nothing can be kept.
Result<PreparedSet> prepare_set(const std::string& path);

/// Reads a split, checksum first. Images are in the stable order of list_samples; calibration is
/// the first 512 of the training split. Errors: bad_input naming the damaged file.
Result<ImageSet> load(const PreparedSet& set, Split split);

/// Checks the kept pixels of every split. Errors: bad_input.
Status verify(const PreparedSet& set);

}  // namespace assay
