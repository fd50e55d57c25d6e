// A layer whose float operator was read but whose output scale is not known yet: between an
// operator and its QuantizeLinear. Inner part of lowering.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "harness/core/result.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay::lowering {

/// Output scale, zero point and element as QuantizeLinear gives them.
struct OutputScale {
  std::string name;
  float scale = 1;
  std::int8_t zero_point = 0;
  Element element = Element::int8;
};

struct PendingLayer {
  IntegerLayer layer;       ///< op, inputs, window, weights in their final order, macs, name
  ActivationTensor output;  ///< shape only
  bool flat = false;        ///< seen as [N, rest] by later nodes
  std::vector<double> accumulator_scale;                  ///< s_in * s_w, per output channel; of
                                                          ///< float weights 1
  std::vector<double> bias;                               ///< real, per output channel
  ElementFunction function;                               ///< of a lookup
  double low = -std::numeric_limits<double>::infinity();  ///< fused activation, real
  double high = std::numeric_limits<double>::infinity();

  bool has_weights() const { return !accumulator_scale.empty(); }
};

/// Appends the layer and its output tensor to the graph and returns the tensor's index. A maximum
/// pool that changes scale or has an activation gets a 1x1 average pool behind it, with a notice.
/// Errors: bad_input, a phrase about the layer (requantize_channels, requantize_sum).
Result<int> finish_layer(IntegerGraph& graph, PendingLayer pending, const OutputScale& scale);

/// The same for a network over float32 tensors; the output tensor's name is `name`. Errors:
/// bad_input, for weights or limits that are not finite.
Result<int> finish_float_layer(IntegerGraph& graph, PendingLayer pending, const std::string& name);

/// A layer that changes only scale and limits of a tensor: a 1x1 average pool.
PendingLayer rescale_layer(const IntegerGraph& graph, int tensor, const std::string& name);

}  // namespace assay::lowering
