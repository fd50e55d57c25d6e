// Where the results that a cell's record is made of lie.
#pragma once

#include <filesystem>
#include <vector>

namespace assay {

/// Folders and files of one cell in the stage cache. Plain value.
struct CellArtifacts {
  std::vector<std::filesystem::path> learned;  ///< stages that trained it; none for `measure`
  std::filesystem::path float_model;           ///< before quantization; empty for `measure`
  std::filesystem::path evaluate_float;        ///< empty for `measure`
  std::filesystem::path model;                 ///< the final model.onnx
  std::filesystem::path evaluate;
  std::filesystem::path firmware;  ///< empty for a cell on the host
};

}  // namespace assay
