// Networks as plain values: a list of layers over one vocabulary, built by small functions.
// initial_network writes the untrained ONNX model of one, the planner counts its shapes, parameters
// and MACs. Plain values and pure functions: thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/core/json.hpp"
#include "harness/core/units.hpp"

namespace assay {

/// What a layer computes, in the words of the ONNX operator (opset 17) it is exported as. Dropout
/// is not modelled: it is the identity in inference, and our trainings do without it.
enum class LayerOp {
  convolution,          ///< Conv, group 1
  depthwise,            ///< Conv, as many groups as channels; one filter per channel
  dense,                ///< Gemm with transB 1; its input is flat
  relu,                 ///< Relu
  relu6,                ///< Clip to [0, 6]
  sigmoid,              ///< Sigmoid, 1 / (1 + exp(-x))
  batch_norm,           ///< BatchNormalization, with no convolution before it to fold into
  max_pool,             ///< MaxPool; padding never wins
  average_pool,         ///< AveragePool, count_include_pad 0
  global_average_pool,  ///< GlobalAveragePool, to 1 x 1
  flatten,              ///< Flatten, axis 1
  add,                  ///< Add of two inputs of one shape
  multiply,             ///< Mul of an image by a factor per channel: the second input is C x 1 x 1
  concat,               ///< Concat, axis 1: the channels of the first input, then of the second
};

/// Extent of a convolution's or pool's window, in input positions.
struct KernelExtent {
  int height = 1;
  int width = 1;

  KernelExtent() = default;
  /// A square; implicit, because nearly every window is one.
  KernelExtent(int side) : height(side), width(side) {}
  KernelExtent(int rows, int columns) : height(rows), width(columns) {}

  bool operator==(const KernelExtent&) const = default;
};

/// Rows and columns added around an image, in the order of ONNX's `pads`.
struct Padding {
  int top = 0;
  int left = 0;
  int bottom = 0;
  int right = 0;

  Padding() = default;
  /// The same on all four sides; implicit, because most padding is.
  Padding(int all) : top(all), left(all), bottom(all), right(all) {}
  Padding(int above, int before, int below, int after)
      : top(above), left(before), bottom(below), right(after) {}

  bool operator==(const Padding&) const = default;
};

/// One layer. Inputs are indices of earlier layers; -1 is the network's input.
struct LayerSpec {
  std::string name;  ///< "conv1"
  LayerOp op = LayerOp::convolution;
  std::vector<int> inputs = {};  ///< two for add, multiply and concat, otherwise one
  int out_channels = 0;          ///< convolution, dense
  KernelExtent kernel = 1;       ///< 1 x 1 for operators without a window
  int stride = 1;                ///< along both axes
  Padding padding = 0;
  bool batch_norm = false;  ///< trained after the convolution, folded into it on export
  /// A convolution or dense layer adds one per output channel. Beside batch_norm the convolution
  /// has none while it is trained (it would be normalized away): folding gives it one, whatever
  /// this says.
  bool bias = true;
};

/// A network for images of channels x height x width.
struct ModelSpec {
  std::string name;  ///< "conv5-cut4-width50"
  int channels = 0;
  int height = 0;
  int width = 0;
  int classes = 0;
  std::vector<LayerSpec> layers;
};

/// Output shape of a layer, channels x height x width.
struct LayerShape {
  int channels = 0;
  int height = 0;
  int width = 0;
};

/// A student as the matrix describes it.
struct ModelChoice {
  std::string family = "conv5";
  int cut = 0;  ///< 0 whole; of conv5: 5 without the last convolution, 4 without the last two
  int fewer_filters_pct = 0;  ///< 0, or one of the widths that the family has
};

/// Builds the network; its name is "conv5", "conv5-cut4", "conv5-width50" (50 % fewer filters) or
/// "conv5-cut4-width50". Errors: bad_input for an unknown family, a cut or width it does not have,
/// an image too small for it.
Result<ModelSpec> build_model(const ModelChoice& choice, int channels, int height, int width,
                              int classes);
std::vector<std::string> known_model_families();
/// Every width that some family has, in per cent of fewer filters, ascending; 0 is the first.
std::vector<int> known_fewer_filters_pct();

/// Shapes of every layer's output, in order. A window's output is floor((extent + padding - kernel)
/// / stride) + 1 along each axis. Errors: bad_input naming the layer that does not fit.
Result<std::vector<LayerShape>> infer_shapes(const ModelSpec& spec);
/// Shape of the output of one more layer, given those of the layers before it. Errors: as above.
Result<LayerShape> infer_output_shape(const ModelSpec& spec, std::span<const LayerShape> earlier,
                                      const LayerSpec& layer);
/// Numbers of the network as it is deployed: weights and biases after the folding of batch
/// normalization; a batch_norm layer of its own keeps a factor and an offset per channel. Errors:
/// as above.
Result<std::uint64_t> count_parameters(const ModelSpec& spec);
/// Multiply-accumulates of one inference: convolutions and dense layers, without biases. Errors: as
/// above.
Result<Macs> count_macs(const ModelSpec& spec);

}  // namespace assay
