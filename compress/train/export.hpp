// A trained network as a float32 ONNX model. Free of Torch. Pure functions, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "compress/data/dataset.hpp"
#include "compress/models/model_spec.hpp"
#include "compress/onnx/model.hpp"
#include "compress/train/layer_parameters.hpp"

namespace assay {

/// What the input of a model means.
struct InputMeaning {
  std::string dataset;
  Normalization normalization;
};

/// Float NCHW "input" [N, channels, height, width] to "logits" [N, classes], opset 17, one node per
/// layer under the layer's name. `parameters` holds one element per layer of `spec` (empty for
/// layers without weights), batch normalization folded. The meaning of the input travels in
/// metadata_props: assay.dataset, assay.mean and assay.deviation (one number per channel, separated
/// by commas).
onnx::Model export_float(const ModelSpec& spec, const std::vector<LayerParameters>& parameters,
                         const InputMeaning& meaning);

/// The meaning a model's metadata gives its input. Errors: bad_input when a property is missing or
/// malformed, with the number of channels it should have; `source` names the model.
Result<InputMeaning> read_input_meaning(const onnx::Model& model, const std::string& source);

}  // namespace assay
