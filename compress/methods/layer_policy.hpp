// Which layers of a model a compression method touches. Pure functions, thread-safe.
//
// The policy "latency" takes only layers that a sparse kernel computes faster: convolutions that
// are not depthwise and dense layers, whose input channels are a multiple of 4 and which have at
// least 256 weights. The kernels skip blocks of four input channels, which beats the dense int8
// kernels from a sparsity of about 31 % (dense layers) to 33 % (convolutions) on a Cortex-M4,
// counted in instructions of the main loops. A depthwise filter sees one input channel, so it has
// no such block. That a layer below 256 weights is too small to matter is a judgement, not a
// measurement.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// A layer with constant weights, as policies see it.
struct WeightedLayer {
  enum class Op { conv, dense };
  std::string name;     ///< of the node
  std::string weights;  ///< of the initializer
  Op op = Op::conv;
  std::vector<std::int64_t> shape;  ///< [out][in of a group][kh][kw] or [out][in]
  std::int64_t group = 1;           ///< of a convolution

  std::int64_t weight_count() const;
  bool is_depthwise() const { return group > 1 && shape[1] == 1; }
  /// One weight a channel, as a batch normalization has that folding could not put into a layer.
  bool is_normalization() const {
    return op == Op::conv && group == shape[0] && weight_count() == group;
  }
  bool operator==(const WeightedLayer&) const = default;
};

/// The Conv and Gemm nodes with float32 constant weights, in node order; weights that two nodes
/// share are listed once, under the first. Errors: bad_input for a Gemm whose weights are not
/// [out][in] (transB = 1), weights without input channels, and two such nodes of one name.
Result<std::vector<WeightedLayer>> weighted_layers(const onnx::Model& model);

/// The choice of layers: a rule or a list of names, less the excepted ones. No rule but `named`
/// takes a normalization: each of its few weights scales a whole channel.
struct LayerPolicy {
  enum class Rule {
    all,
    conv,   ///< convolutions, depthwise ones too
    dense,  ///< fully connected layers
    last,   ///< the last layer with weights
    latency,
    named,  ///< those of `names`
  };
  Rule rule = Rule::all;
  std::vector<std::string> names;   ///< of Rule::named only, at least one
  std::vector<std::string> except;  ///< never touched
};

/// {"layers": "conv" or ["a", "b"], "except": ["c"]}.
Json to_json(const LayerPolicy& policy);
/// Problems go to the object's JsonErrors under the field's name.
LayerPolicy read_layer_policy(JsonObject& object);

/// Why the rule "latency" leaves a layer out, as the end of a sentence; nothing when it does not.
std::optional<std::string> why_not_faster(const WeightedLayer& layer);

/// Positions in `layers` of the ones to touch, ascending. Errors: bad_input for a name that no
/// layer has, with the names there are, and for a policy that selects nothing.
Result<std::vector<std::size_t>> select_layers(std::span<const WeightedLayer> layers,
                                               const LayerPolicy& policy);

}  // namespace assay
