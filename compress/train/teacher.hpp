// Whom a student learns from besides the labels. Include only where Torch is wanted. Not
// thread-safe.
#pragma once

#include <span>
#include <vector>

#include "compress/train/trainable_network.hpp"

namespace assay {

class Teacher {
 public:
  virtual ~Teacher() = default;
  /// Outputs [N][outputs] for the training images `indices`, whose pixels as the student sees them
  /// are `input`. Several teachers are one whose logits are the mean of theirs (the normalized
  /// geometric mean of their predictions, Hinton et al., 2015, section 5). `taps` are filled with
  /// activations of the first one.
  virtual Result<at::Tensor> outputs(std::span<const int> indices, const at::Tensor& input,
                                     NamedTensors* taps) = 0;
  /// Fills in the activations that `taps` name, for one input, without training. Errors: bad_input
  /// when there is no network to look into.
  virtual Status features(const at::Tensor& input, NamedTensors& taps) = 0;
  /// The name of the tensor a layer puts out. Errors: bad_input, naming the layers there are.
  virtual Result<std::string> output_of(const std::string& layer) const = 0;
  /// What is trained along with the student.
  virtual std::vector<at::Tensor> parameters() const { return {}; }
  /// For checkpoints.
  virtual NamedTensors state() const { return {}; }
  virtual void restore(const NamedTensors& state) { (void)state; }
};

/// Logits of every training image, computed once: for data without augmentation.
class CachedTeacher final : public Teacher {
 public:
  /// `logits` of each teacher, [images][outputs].
  CachedTeacher(const std::vector<std::vector<float>>& logits, int outputs);
  Result<at::Tensor> outputs(std::span<const int> indices, const at::Tensor& input,
                             NamedTensors* taps) override;
  Status features(const at::Tensor& input, NamedTensors& taps) override;
  Result<std::string> output_of(const std::string& layer) const override;

 private:
  std::vector<float> mean_;
  int outputs_;
};

/// Networks that compute their outputs for every batch.
class NetworkTeacher final : public Teacher {
 public:
  explicit NetworkTeacher(std::vector<TrainableNetwork> networks)
      : networks_(std::move(networks)) {}
  Result<at::Tensor> outputs(std::span<const int> indices, const at::Tensor& input,
                             NamedTensors* taps) override;
  Status features(const at::Tensor& input, NamedTensors& taps) override;
  Result<std::string> output_of(const std::string& layer) const override {
    return networks_.front().output_of(layer);
  }

 private:
  std::vector<TrainableNetwork> networks_;
};

/// One network that learns at the same time.
class JointTeacher final : public Teacher {
 public:
  explicit JointTeacher(TrainableNetwork network) : network_(std::move(network)) {}
  Result<at::Tensor> outputs(std::span<const int> indices, const at::Tensor& input,
                             NamedTensors* taps) override;
  std::vector<at::Tensor> parameters() const override { return network_.parameters(); }
  NamedTensors state() const override { return network_.state(); }
  void restore(const NamedTensors& state) override { network_.restore(state); }
  const TrainableNetwork& network() const { return network_; }
  Status features(const at::Tensor& input, NamedTensors& taps) override;
  Result<std::string> output_of(const std::string& layer) const override {
    return network_.output_of(layer);
  }

 private:
  TrainableNetwork network_;
};

}  // namespace assay
