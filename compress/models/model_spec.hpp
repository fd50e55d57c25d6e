// Networks as plain values: a list of layers over one vocabulary, built by small functions.
// Torch builds a trainable module from it, the planner its shapes, parameters and MACs. Plain
// values and pure functions: thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/json.hpp"
#include "harness/core/units.hpp"

namespace assay {

enum class LayerOp {
  convolution,  ///< with folded batch normalization after training
  depthwise,
  dense,
  relu,
  relu6,
  max_pool,
  average_pool,
  global_average_pool,
  flatten,
  add,
};

/// One layer. Inputs are indices of earlier layers; -1 is the network's input.
struct LayerSpec {
  std::string name;  ///< "conv1"
  LayerOp op = LayerOp::convolution;
  std::vector<int> inputs;
  int out_channels = 0;  ///< convolution, dense
  int kernel = 1;        ///< square window; 1 for operators without one
  int stride = 1;
  int padding = 0;          ///< on all four sides
  bool batch_norm = false;  ///< trained after the layer, folded into it on export
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
  int cut = 0;                ///< 0 whole, 5 without the last convolution, 4 without the last two
  int fewer_filters_pct = 0;  ///< 0, 10, 30 or 50
};

/// Builds the network; its name is "conv5", "conv5-cut4", "conv5-width50" (50 % fewer filters) or
/// "conv5-cut4-width50". Errors: bad_input for an unknown family, a cut or width it does not have,
/// an image too small for it.
Result<ModelSpec> build_model(const ModelChoice& choice, int channels, int height, int width,
                              int classes);
std::vector<std::string> known_model_families();

/// Shapes of every layer's output, in order. Errors: bad_input naming the layer that does not fit.
Result<std::vector<LayerShape>> infer_shapes(const ModelSpec& spec);
/// Weights and biases after batch-norm folding.
Result<std::uint64_t> count_parameters(const ModelSpec& spec);
/// Multiply-accumulates of one inference: convolutions and dense layers.
Result<Macs> count_macs(const ModelSpec& spec);

}  // namespace assay
