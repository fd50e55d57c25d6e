// A float ONNX model whose weights and batch normalizations can be trained. Include only where
// Torch is wanted. Not thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <set>
#include <span>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"
#include "compress/train/training_method.hpp"

namespace assay {

class TrainableNetwork {
 public:
  /// Layers are the Conv and Gemm nodes with constant weights, float32 or int8 behind
  /// DequantizeLinear along axis 0; trained are their weights and biases, and the factor and shift
  /// of every BatchNormalization. All other nodes are computed as the interpreter does. Weights lie
  /// in channels-last memory, which one core computes faster. Errors: bad_input naming the node.
  static Result<TrainableNetwork> create(const onnx::Model& model, const std::string& source);

  /// Moves everything to "cpu" or "cuda".
  void to_device(const std::string& device);

  /// Outputs [N][classes] for normalized input [N][channels][height][width]. With `training`, batch
  /// normalization uses the batch and updates its statistics (momentum 0.1). `taps` are filled with
  /// the activations they name. Errors: bad_input when shapes do not fit together.
  Result<at::Tensor> forward(const at::Tensor& input, bool training,
                             std::span<TrainingMethod* const> methods = {},
                             NamedTensors* taps = nullptr);

  const std::vector<TrainableLayer>& layers() const { return layers_; }
  /// Leaves that training moves, in the order of the nodes; without the weights of layers that a
  /// method replaces, and without what is frozen.
  std::vector<at::Tensor> parameters(std::span<TrainingMethod* const> methods = {}) const;
  /// Leaves that training moves, by tensor name.
  NamedTensors leaves() const;
  /// Keeps a layer as it is, and every batch normalization that only kept layers lead to: those
  /// whose output reaches it, alone or joined with others, and through no other layer.
  void freeze(std::size_t layer);
  /// Keeps everything but one layer and the batch normalizations that it leads to.
  void freeze_all_but(std::size_t layer);
  /// Whether training leaves a layer as it is.
  bool frozen(std::size_t layer) const { return frozen_[layer]; }
  /// The model as the training found it, integer weights turned into real ones.
  const onnx::Model& original() const { return model_; }
  /// Every leaf and statistic by tensor name, for checkpoints.
  NamedTensors state() const;
  void restore(const NamedTensors& state);

  /// The model with the trained numbers, as `methods` leave them. Integer weights of layer "fc"
  /// whose weights are called "fc.weight" become "fc.weight.quantized" behind DequantizeLinear.
  onnx::Model model(std::span<TrainingMethod* const> methods = {}) const;

  /// The name of the tensor that node `layer` puts out. Errors: bad_input naming the nodes there
  /// are.
  Result<std::string> output_of(const std::string& layer) const;
  const std::string& input_name() const { return model_.inputs[0].name; }

 private:
  class Builder;

  /// One node, its inputs resolved.
  struct Step {
    onnx::Node node;
    std::vector<int> slots;             ///< per input: where its value is, -1 for a constant
    std::vector<at::Tensor> constants;  ///< per input; undefined for values and omitted ones
    int output = 0;                     ///< slot
    int layer = -1;                     ///< index into layers_
    int norm = -1;                      ///< index into norms_
  };
  struct Norm {
    at::Tensor gamma, beta, mean, variance;
    double epsilon = 1e-5;
    std::set<std::size_t> layers;  ///< whose output reaches it through no other layer
    bool frozen = false;

    void freeze();
  };

  TrainableNetwork() = default;
  void keep(std::size_t layer);
  at::Tensor normalize(Norm& norm, const at::Tensor& x, bool training);
  void write_weights(const Step& step, std::span<TrainingMethod* const> methods,
                     onnx::Model& model) const;
  template <class Network, class Visit>
  static void visit_tensors(Network& network, Visit visit);

  std::string source_;
  onnx::Model model_;
  std::vector<TrainableLayer> layers_;
  std::vector<bool> frozen_;  // per layer
  std::vector<Norm> norms_;
  std::vector<Step> steps_;
  std::size_t slot_count_ = 1;  // slot 0 is the input
  int output_slot_ = 0;
};

}  // namespace assay
