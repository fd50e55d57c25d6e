// Described sets as the table of data sets uses them: prepared once a process and shared. Functions
// are thread-safe.
#pragma once

#include <string>

#include "compress/data/dataset.hpp"

namespace assay::described {

/// As find_dataset. A set is prepared at the first call of a process; later ones notice that the
/// description or its CSV changed (size or time of modification), not that an image did.
Result<DatasetInfo> info(const std::string& path);
/// The same, but looks at every file anew.
Result<DatasetInfo> info_anew(const std::string& path);
Result<DatasetPresence> locate(const std::string& path);

/// As verify_dataset: looks at every file anew.
Status verify(const std::string& path);

/// As load_split.
Result<ImageSet> load(const std::string& path, Split split);

}  // namespace assay::described
