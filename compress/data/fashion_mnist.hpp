// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, MIT licence): 70 000 images of clothing, 28 x 28, one
// channel, ten classes of equal size. Stateless, thread-safe.
#pragma once

#include <filesystem>

#include "compress/data/dataset.hpp"

namespace assay::fashion_mnist {

/// The folder of the Debian package dataset-fashion-mnist, used unless ASSAY_DATA is set.
inline constexpr const char* system_folder = "/usr/share/datasets/fashion-mnist";

DatasetInfo info();

/// Checks all four files in `folder`. Errors as verify_dataset.
Status verify(const std::filesystem::path& folder);

/// Reads one split from the files in `folder`. The 60 000 training images of the source are divided
/// by their order in the file: the first 500 images of every class are the validation split, all
/// others the training split. Calibration is the first 51 training images of every class and one
/// more of the first two classes, 512 in all. Every split keeps the order of the file; no seed
/// takes part. Errors as load_split.
Result<ImageSet> load(const std::filesystem::path& folder, Split split);

}  // namespace assay::fashion_mnist
