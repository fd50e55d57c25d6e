// From a cell's artifacts, and a board's answers where it has one, to the record.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "boards/station/desk.hpp"
#include "harness/core/calibration.hpp"
#include "harness/core/record.hpp"
#include "harness/core/units.hpp"
#include "harness/run/cell_artifacts.hpp"
#include "harness/run/firmware_stage.hpp"

namespace assay {

/// What is measured: the identity fields of `identity` go into the record as they are.
struct MeasurementOrder {
  Record identity;
  CellArtifacts artifacts;
  std::string data;
  std::string fingerprint;  ///< of the data
  int samples = 500;
  std::optional<Calibration> calibration;  ///< of the board's part, for modelled cycles
  std::optional<double> reference_bytes;   ///< float32 ONNX bytes of the uncompressed network
};

/// Measures a cell on a board and makes its record: verdict fail for wrong logits or a model that
/// does not fit, with every figure that is known. Errors: those of check_unchanged,
/// infrastructure, interrupted (no record).
Result<Record> measure_cell(const MeasurementOrder& order, Desk& desk, const Board& board,
                            std::stop_token stop);

/// Makes the record of a cell that goes to no board: what can be computed and counted, and nothing
/// else. Errors: those of model_metrics.
Result<Record> record_on_host(const MeasurementOrder& order);

/// Host, kernel and tool versions, for records.
Json host_environment();

}  // namespace assay
