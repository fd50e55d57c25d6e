// Networks that were trained elsewhere, as networks for one of our data sets. Thread-safe.
#pragma once

#include <filesystem>

#include "compress/data/dataset.hpp"
#include "compress/onnx/model.hpp"

namespace assay {

/// A float network in its normal form (onnx::to_normal_form) with a free batch, symbolic sizes of
/// its input set to the data set's, and the data set's normalization as the meaning of its input:
/// what the file itself was normalized by is not known. Errors: bad_input when it has not one
/// float32 image input and one output, or its input has another size than the data set's images
/// (both sizes are stated); as to_normal_form. `source` names the model.
Result<onnx::Model> adopt_network(const onnx::Model& model, const DatasetInfo& data,
                                  const std::string& source);

/// The same from an ONNX file. Errors: as onnx::read_model too.
Result<onnx::Model> read_foreign_network(const std::filesystem::path& path,
                                         const DatasetInfo& data);

/// Whether a path ends as TorchScript files do (.pt, .torchscript), which only the worker reads.
bool is_torchscript(const std::filesystem::path& path);

}  // namespace assay
