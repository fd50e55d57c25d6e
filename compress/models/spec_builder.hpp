// Writes a network layer by layer: what the builders of all families share. Values of one thread.
#pragma once

#include <string>
#include <vector>

#include "compress/models/model_spec.hpp"

namespace assay {

/// How a network pads its windows, all of them alike.
enum class PaddingRule {
  none,
  half,  ///< (kernel - 1) / 2 on every side, as PyTorch's networks do
  same,  ///< TensorFlow's SAME: as many outputs as ceil(extent / stride); an odd row of padding
         ///< goes to the bottom, an odd column to the right
};

/// What is added to a convolution's output.
enum class Offset { batch_norm, bias, none };

/// Appends layers. Each takes the one before it as its input, or the one that from() named.
/// A layer that does not fit is appended all the same: infer_shapes() reports the first of them.
class SpecBuilder {
 public:
  explicit SpecBuilder(ModelSpec& spec, PaddingRule rule = PaddingRule::half)
      : spec_(spec), rule_(rule) {}

  /// The layer that the next one takes as its input; -1 is the network's input.
  int current() const { return current_; }
  /// Output shape of the current layer; 0 x 0 x 0 when it does not fit its input.
  LayerShape shape() const;
  /// Makes `layer` the current one.
  SpecBuilder& from(int layer);

  void conv(const std::string& name, int filters, KernelExtent kernel, int stride = 1,
            Offset offset = Offset::batch_norm);
  /// Depthwise convolution with batch normalization.
  void depthwise(const std::string& name, KernelExtent kernel, int stride = 1);
  void max_pool(const std::string& name, KernelExtent kernel, int stride);
  /// Never padded: rows and columns that no whole window covers are dropped.
  void average_pool(const std::string& name, KernelExtent kernel, int stride);
  /// An operator with one input and no settings: activations, flatten, batch_norm, global pools.
  void apply(const std::string& name, LayerOp op);
  /// add, multiply or concat of two layers.
  void join(const std::string& name, LayerOp op, int first, int second);
  /// Fully connected; the input is flat.
  void dense(const std::string& name, int outputs);

  /// "conv<index>" with batch normalization, then "relu<index>".
  void conv_bn_relu(int index, int filters, KernelExtent kernel, int stride = 1);
  /// Global average pool, flatten and a dense layer with one output per class.
  void average_head();

 private:
  void append(LayerSpec layer);
  void append_windowed(LayerSpec layer);
  Padding padding_for(const LayerSpec& layer) const;

  ModelSpec& spec_;
  PaddingRule rule_;
  int current_ = -1;
  std::vector<LayerShape> shapes_;  ///< of the layers so far
};

/// `filters` less `fewer_pct` percent, to the nearest even number (a tie goes up), at least 2.
/// Even, because the DSP kernels work on pairs of channels.
int scaled_filters(int filters, int fewer_pct);

/// Whether the networks made for ImageNet keep their first two halvings of the image: they do from
/// 64 pixels a side. Smaller images go through a 3x3 stem of stride 1 without a pool, as the usual
/// CIFAR-10 forms of these networks do, so that the last layers still see 4 x 4 positions.
bool has_large_images(const ModelSpec& spec);

}  // namespace assay
