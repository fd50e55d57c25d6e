// Quantization-aware training (Jacob et al., 2018, section 3): every forward pass sees weights and
// activations as the integer network will have them. Include only where Torch is wanted. Not
// thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "compress/methods/cluster_marks.hpp"
#include "compress/methods/quantization_plan.hpp"
#include "compress/methods/quantize_model.hpp"
#include "compress/train/codebook.hpp"
#include "compress/train/trainable_network.hpp"

namespace assay {

class QuantizationAware final : public TrainingMethod {
 public:
  /// `network` is free of batch normalization and outlives the method; `ranges` are those of the
  /// calibration images. What earlier steps achieved stays: zeros stay zero, and equal weights of
  /// a clustered layer stay equal, on their integers where they have some.
  ///
  /// Weight scales are either found anew by the weight observer as the weights move, or learned,
  /// from there on, with the weights (Esser et al., 2020; the logarithm is trained). Activation
  /// scales are learned likewise, or follow the ranges: with the observer "moving-average" those of
  /// the batches, otherwise those of the calibration. Every tensor that is an integer in the
  /// written model is rounded, those of pools and sigmoids too. Errors: as plan_quantization.
  static Result<std::unique_ptr<QuantizationAware>> create(TrainableNetwork& network,
                                                           const QuantizeSettings& settings,
                                                           const Ranges& ranges);

  at::Tensor weight(std::size_t layer, const at::Tensor& weight) override;
  at::Tensor final_weight(std::size_t layer, const at::Tensor& weight) override;
  std::optional<IntegerWeights> final_integers(std::size_t layer) override;
  at::Tensor activation(const std::string& name, const at::Tensor& value) override;
  std::vector<at::Tensor> parameters() override;
  bool replaces(std::size_t layer) const override;
  Status begin_step(std::int64_t step, std::int64_t steps) override;
  void set_training(bool training) override { training_ = training; }
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;
  Json report() const override;
  std::string name() const override { return "quantize"; }

  /// What quantize_model has to use so that the model computes what was trained.
  GivenScales scales() const;

 private:
  struct LayerState {
    std::string name;
    int bits = 8;
    WeightScales shared = WeightScales::channel;
    std::optional<Codebook> codebook;  ///< of a clustered layer
    at::Tensor mask;                   ///< 0 where a weight stays zero; undefined if nowhere
    at::Tensor scale;                  ///< observed, broadcasts against the weights
    at::Tensor log_scale;              ///< learned: a leaf [out] or [1]
  };
  struct ActivationState {
    ActivationScale scale;
    Range range;
    at::Tensor step;      ///< the scale, one element
    at::Tensor log_step;  ///< learned: a leaf [1]
  };

  QuantizationAware(TrainableNetwork& network, const QuantizeSettings& settings)
      : network_(network), settings_(settings) {}
  void add_layer(const TrainableLayer& layer, const ClusterMarks& marks);
  void add_activation(const std::string& name, const Range& range);
  /// Whether scales within a layer keep to max_scale_ratio, as quantize_model has them.
  bool bounded() const { return settings_.quantizes_activations(); }
  bool learned() const { return settings_.training == QuantizationTraining::learned; }
  /// [out] or [1], by the weight observer.
  at::Tensor observed_scales(const LayerState& layer, const at::Tensor& weight) const;
  void observe_weights();
  void observe(ActivationState& state, const at::Tensor& value) const;
  at::Tensor quantized(const ActivationState& state, const at::Tensor& value) const;
  at::Tensor scale_of(const LayerState& layer, const at::Tensor& weight) const;
  at::Tensor masked(const LayerState& layer, const at::Tensor& weight) const;

  TrainableNetwork& network_;
  QuantizeSettings settings_;
  c10::Device device_ = at::kCPU;  // of the network's weights
  std::vector<LayerState> layers_;
  QuantizationPlan plan_;                               // empty where activations stay float
  std::map<std::string, ActivationState> activations_;  // those observed
  ActivationState unit_;                                // the fixed scale of [0, 1]
  bool training_ = true;
};

}  // namespace assay
