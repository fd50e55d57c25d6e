// What a compression method does inside a training: it changes the weights and activations that the
// forward pass sees, and acts between the steps. A new method is one file pair with a heir of this
// class. Include only where Torch is wanted. Not thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/json.hpp"
#include "harness/core/result.hpp"

namespace assay {

/// Integer weights of a layer: real = scale[output channel] * value.
struct IntegerWeights {
  std::vector<std::int8_t> values;  ///< in the order of the real weights
  std::vector<float> scales;        ///< one per output channel
};

/// A layer as methods see it; indices are those of TrainableNetwork::layers.
struct TrainableLayer {
  std::string name;                        ///< of its node
  at::Tensor weight;                       ///< a leaf: [out][in / group][kh][kw] or [out][in]
  at::Tensor bias;                         ///< a leaf [out]; undefined without one
  std::optional<IntegerWeights> integers;  ///< when the model gave its weights as integers
};

/// Tensors by name, for checkpoints.
using NamedTensors = std::map<std::string, at::Tensor>;

class TrainingMethod {
 public:
  virtual ~TrainingMethod() = default;

  /// The weights of layer `layer` as the forward pass uses them, differentiable in `weight`.
  virtual at::Tensor weight(std::size_t layer, const at::Tensor& weight) {
    (void)layer;
    return weight;
  }
  /// The weights as the trained model keeps them.
  virtual at::Tensor final_weight(std::size_t layer, const at::Tensor& weight) {
    return this->weight(layer, weight);
  }
  /// Integers in place of the final weights, from a method that works on them.
  virtual std::optional<IntegerWeights> final_integers(std::size_t layer) {
    (void)layer;
    return std::nullopt;
  }
  /// The activation `name` as later layers see it.
  virtual at::Tensor activation(const std::string& name, const at::Tensor& value) {
    (void)name;
    return value;
  }
  /// Parameters of the method's own, trained with the network's.
  virtual std::vector<at::Tensor> parameters() { return {}; }
  /// Layers whose own weights take no part in training because the method replaces them.
  virtual bool replaces(std::size_t layer) const {
    (void)layer;
    return false;
  }
  /// Before step `step` (from 0) of `steps`, and after the optimizer has moved the parameters.
  virtual Status begin_step(std::int64_t step, std::int64_t steps) {
    (void)step, (void)steps;
    return {};
  }
  virtual void end_step() {}
  /// Whether forward passes now train (batches) or evaluate.
  virtual void set_training(bool training) { (void)training; }
  /// What has to be kept so that an interrupted training goes on with the same bits.
  virtual NamedTensors state() const { return {}; }
  virtual void restore(const NamedTensors& state) { (void)state; }
  /// What was done, for training.json.
  virtual Json report() const = 0;
  /// The section of training.json: "prune".
  virtual std::string name() const = 0;
};

}  // namespace assay
