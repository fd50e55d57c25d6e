// A ModelSpec as a trainable Torch module. Include only where Torch is wanted.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <vector>

#include "compress/models/model_spec.hpp"
#include "compress/train/layer_parameters.hpp"

namespace assay {

/// Layers of one network; convolutions compute in channels-last memory, which one core does faster.
class Network : public torch::nn::Module {
 public:
  /// Weights start from He initialization by fan-out (He et al., 2015, section 2.2), biases at
  /// zero, drawn from Torch's global generator. `shapes` are the spec's, from infer_shapes.
  Network(const ModelSpec& spec, const std::vector<LayerShape>& shapes);

  /// Logits [N][classes] for float input [N][channels][height][width].
  torch::Tensor forward(const torch::Tensor& input);

  /// One element per layer of the spec, empty for layers without weights; not folded.
  std::vector<LayerParameters> layer_parameters() const;

 private:
  /// Module of one layer; at most one of convolution and dense is set.
  struct Layer {
    LayerSpec spec;
    torch::nn::Conv2d convolution{nullptr};
    torch::nn::Linear dense{nullptr};
    torch::nn::BatchNorm2d batch_norm{nullptr};
  };
  torch::Tensor apply(Layer& layer, const torch::Tensor& x, const torch::Tensor& other);

  std::vector<Layer> layers_;
};

}  // namespace assay
