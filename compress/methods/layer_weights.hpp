// The constants of the layers of a float model, read and checked before they are quantized. Free of
// Torch. Pure functions, thread-safe.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/methods/quantization_scale.hpp"
#include "compress/onnx/model.hpp"

namespace assay {

/// Weights and bias of one Conv or Gemm.
struct LayerWeights {
  std::vector<std::int64_t> shape;           ///< [output channels, ...]
  std::vector<float> reals;                  ///< row-major, finite
  std::optional<QuantizedWeights> integers;  ///< when the model holds them as integers already
  bool clustered = false;                    ///< reals that share values on purpose (ClusterMarks)
  const onnx::Tensor* bias = nullptr;        ///< float32, finite, in the model; none: nullptr
};

/// By node name.
using LayerMap = std::map<std::string, LayerWeights>;

/// The error of every refusal: cannot quantize node 'conv1' (Conv): <why>.
tl::unexpected<Error> refuse_node(const onnx::Node& node, const std::string& why);

/// Whether a node only turns int8 weights of a float model into real ones: DequantizeLinear of an
/// int8 constant.
bool dequantizes_weights(const onnx::Model& model, const onnx::Node& node);

/// The layers of a model. Weights are float32 constants, or int8 constants behind a
/// DequantizeLinear with one scale per output channel or one in all. Errors: bad_input naming the
/// node whose weights are neither, are not finite or lie another way round; two nodes of one name;
/// metadata that ClusterMarks cannot read.
Result<LayerMap> read_layer_weights(const onnx::Model& model);

/// bad_input unless `name` is one of the layers; `what` is what was said of it.
Status check_layer_name(const LayerMap& layers, const std::string& name, const std::string& what);

}  // namespace assay
