// Removing pruned filters for good: a model without the output channels that are always 0. Pure
// functions, thread-safe.
//
// A filter is an output channel of a convolution, or an output of a dense layer. Its channel runs
// through depthwise convolutions, BatchNormalization, Relu, LeakyRelu, Clip around 0, Tanh,
// Identity, Dropout, pools and Flatten (which makes it some columns of a dense layer) to the layers
// that read it. It is dead when it is 0 wherever a layer reads it: 0 leaves a layer whose weights
// and bias are 0 there, and a normalization whose bias is 0 and whose scale is 0 (or whose input
// and mean are). Then the filter, its bias, its entries in what it runs through, and the input
// channels of its readers go, and the model computes what it did before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"

namespace assay {

/// A Conv or Gemm node and whether its filters may be removed.
struct FilterLayer {
  std::string name;  ///< of the node
  /// Why its filters must stay, as a clause: "its output reaches 'sum' (Add)". A dead filter of
  /// such a layer is kept. Nothing when filters may go.
  std::optional<std::string> kept_because;
  std::optional<std::string>
      channels_of;  ///< of a depthwise layer: the one that makes its channels
  /// The constants whose first axis are these filters: its own, and those of what the filters run
  /// through. A filter is dead once its entries are 0 in all of them but statistics.
  std::vector<std::string> constants;

  bool operator==(const FilterLayer&) const = default;
};

/// Every Conv and Gemm of a model in node order. A depthwise convolution shares the channels of the
/// layer before it: its filters go only with theirs. Filters stay where the output reaches the
/// model's output or a node that is not listed above (Add, Concat, Mul, Softmax, ...), where
/// weights are no float32 constants of this node alone, and in grouped convolutions that are not
/// depthwise, in their input too. Errors: bad_input naming a node whose weights do not fit its
/// input.
Result<std::vector<FilterLayer>> prunable_filters(const onnx::Model& model);

/// How many filters a layer has lost; `after` is at least 1.
struct ShrunkLayer {
  std::string name;
  std::int64_t before = 0;
  std::int64_t after = 0;

  bool operator==(const ShrunkLayer&) const = default;
};

struct ShrunkModel {
  onnx::Model model;
  std::vector<ShrunkLayer> layers;  ///< those that lost filters, in node order
};

/// Removes the dead filters of `model`, which is float. Where all filters of a layer are dead, the
/// first one stays. Errors: as above.
Result<ShrunkModel> shrink_filters(const onnx::Model& model);

}  // namespace assay
