// The figures of a model that need no board: accuracy, sizes, MACs, what compression left in the
// weights. Thread-safe.
#pragma once

#include <optional>

#include "harness/core/metric.hpp"
#include "harness/core/units.hpp"
#include "harness/run/cell_artifacts.hpp"

namespace assay {

/// accuracy_*, model_*, weight_bytes, parameters, zeros_pct, clusters, macc, compression_ratio
/// (with `reference_bytes`, those of the float32 ONNX file it is taken against) and train_seconds.
/// Errors: bad_input for an artifact that cannot be read; infrastructure when gzip does not run.
Result<Metrics> model_metrics(const CellArtifacts& artifacts,
                              std::optional<double> reference_bytes);

/// What `gzip -9n < path | wc -c` says, by that program. Errors: bad_input when the file cannot be
/// read; infrastructure when gzip does not run.
Result<Bytes> gzip_size(const std::filesystem::path& path);

}  // namespace assay
