// From a cell's artifacts and a board's answers to the record.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "boards/station/desk.hpp"
#include "harness/core/record.hpp"
#include "harness/core/units.hpp"
#include "harness/run/firmware_stage.hpp"

namespace assay {

/// Folders with the artifacts of one cell.
struct CellArtifacts {
  std::vector<std::filesystem::path> learned;  ///< stages that trained it; none for `measure`
  std::filesystem::path float_model;           ///< before quantization; empty for `measure`
  std::filesystem::path evaluate_float;        ///< empty for `measure`
  std::filesystem::path model;                 ///< the int8 model.onnx
  std::filesystem::path evaluate;
  std::filesystem::path firmware;
};

/// What is measured: the identity fields of `identity` go into the record as they are.
struct MeasurementOrder {
  Record identity;
  CellArtifacts artifacts;
  std::string data;
  int samples = 500;
  std::optional<double> reference_bytes;  ///< float32 ONNX bytes of the uncompressed network
};

/// Measures a cell on a board and makes its record: verdict fail for wrong logits or a model that
/// does not fit, with every figure that is known. Errors: infrastructure, interrupted (no record).
Result<Record> measure_cell(const MeasurementOrder& order, Desk& desk, const Board& board,
                            std::stop_token stop);

/// What `gzip -9n < path | wc -c` says, by that program. Errors: bad_input when the file cannot be
/// read; infrastructure when gzip does not run. Thread-safe.
Result<Bytes> gzip_size(const std::filesystem::path& path);

/// Host, kernel and tool versions, for records.
Json host_environment();

}  // namespace assay
