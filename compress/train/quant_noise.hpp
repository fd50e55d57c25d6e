// Quantization noise in the forward passes of a training. Include only where Torch is wanted. Not
// thread-safe.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "compress/methods/quant_noise.hpp"
#include "compress/train/trainable_network.hpp"

namespace assay {

class QuantNoise final : public TrainingMethod {
 public:
  /// `network` outlives the noise. Frozen layers are left out and, with product quantization, those
  /// whose rows are not whole blocks; the report says so. Errors: bad_input for a policy that names
  /// an unknown layer or selects none, or when every layer is left out.
  static Result<std::unique_ptr<QuantNoise>> create(const TrainableNetwork& network,
                                                    const NoiseSettings& settings,
                                                    std::uint64_t seed);

  /// w + m (Q(w) - w), where m marks random blocks and the gradient passes Q straight through (Fan
  /// et al., section 4.2). Evaluation quantizes everything, with numbers found for the weights as
  /// they are then.
  at::Tensor weight(std::size_t layer, const at::Tensor& weight) override;
  /// Scalar noise leaves the weights to the quantization that follows; product quantization is in
  /// them already.
  at::Tensor final_weight(std::size_t layer, const at::Tensor& weight) override;
  Status begin_step(std::int64_t step, std::int64_t steps) override;
  void set_training(bool training) override;
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;
  Json report() const override { return report_; }
  std::string name() const override { return "noise"; }

 private:
  QuantNoise(const TrainableNetwork& network, const NoiseSettings& settings, std::uint64_t seed)
      : network_(network),
        settings_(settings),
        seed_(seed),
        noisy_(network.layers().size(), false),
        numbers_(network.layers().size()),
        evaluated_(network.layers().size()) {}
  /// What quantizes each layer's weights as they are now.
  Result<std::vector<at::Tensor>> find_numbers() const;
  at::Tensor quantized(const at::Tensor& numbers, const at::Tensor& weight) const;
  at::Tensor random_blocks(const at::Tensor& weight);

  const TrainableNetwork& network_;
  NoiseSettings settings_;
  std::uint64_t seed_;
  std::mt19937_64 generator_;
  std::vector<bool> noisy_;            // per layer of the network
  std::vector<at::Tensor> numbers_;    // scales [out][1]..., or the codebook's weights
  std::vector<at::Tensor> evaluated_;  // the same, of evaluation
  bool training_ = true;
  Json report_;
};

}  // namespace assay
