// Writes the constants of layers in the form a scheme gives them. Free of Torch. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compress/methods/layer_weights.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// Appends a node with one output. `domain` "" is ai.onnx.
onnx::Node& append_node(onnx::Model& model, const std::string& op_type, const std::string& name,
                        std::vector<std::string> inputs, const std::string& output,
                        const std::string& domain = "");

/// Adds an initializer and returns its name.
template <class T>
std::string add_constant(onnx::Model& model, const std::string& name, onnx::ElementType type,
                         const std::vector<std::int64_t>& shape, std::span<const T> values) {
  model.initializers[name] = onnx::Tensor::of<T>(name, type, shape, values);
  return name;
}

/// Weight scales learned elsewhere, by layer: one per output channel, or one.
using GivenWeightScales = std::map<std::string, std::vector<float>>;

/// Writes into a model under construction and notes what it did.
class ConstantWriter {
 public:
  ConstantWriter(const QuantizeSettings& settings, const GivenWeightScales& given,
                 onnx::Model& result)
      : settings_(settings), given_(given), result_(result) {}

  /// Points the weight and bias inputs of `node`, one of the model's layers, to constants of the
  /// scheme. `input_scale` is that of its input where activations are integers. Errors: bad_input
  /// when a number is beyond float16.
  Status write(onnx::Node& node, const LayerWeights& layer, std::optional<float> input_scale);

  Json report = Json::object();  ///< by layer: bits, channels, scales
  Json notices = Json::array();  ///< sentences for the user

 private:
  QuantizedWeights integers_of(const std::string& name, const LayerWeights& layer);
  QuantizedWeights observed_integers(const std::string& name, const LayerWeights& layer);
  void note_weights(const std::string& name, const LayerWeights& layer,
                    const QuantizedWeights& quantized);
  void write_bias(onnx::Node& node, const onnx::Tensor& bias, float input_scale,
                  const QuantizedWeights& quantized);
  Status write_float16(onnx::Node& node, std::size_t input, const std::string& name,
                       const std::vector<std::int64_t>& shape, std::span<const float> values);

  const QuantizeSettings& settings_;
  const GivenWeightScales& given_;
  onnx::Model& result_;
};

}  // namespace assay
