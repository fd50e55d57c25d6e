// What the input of a model means: the data set it was made for and the normalization of its
// pixels. It travels in the model's metadata. Pure functions, thread-safe.
#pragma once

#include <string>

#include "compress/data/dataset.hpp"
#include "compress/onnx/model.hpp"

namespace assay {

struct InputMeaning {
  std::string dataset;
  Normalization normalization;
};

/// Writes metadata_props: assay.dataset, assay.mean and assay.deviation (one number per channel,
/// separated by commas).
void write_input_meaning(onnx::Model& model, const InputMeaning& meaning);

/// The meaning a model's metadata gives its input. Errors: bad_input when a property is missing or
/// malformed, with the number of channels it should have; `source` names the model.
Result<InputMeaning> read_input_meaning(const onnx::Model& model, const std::string& source);

}  // namespace assay
