// Feature-based distillation (Romero et al., "FitNets", 2015): the student's inner features are
// drawn to the teacher's. Include only where Torch is wanted. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "compress/methods/distillation.hpp"
#include "compress/train/teacher.hpp"

namespace assay {

class Hints {
 public:
  /// Looks at the features once, with an image of zeros [1][channels][height][width]. Where the
  /// channels of a pair differ, the student's features go through a 1x1 convolution that is trained
  /// too and dropped afterwards; it starts from `seed`. Without hints in the settings: no pairs.
  /// Errors: bad_input for a layer that is not there (naming those that are), or features of
  /// different height and width.
  static Result<Hints> create(TrainableNetwork& student, Teacher* teacher,
                              const std::optional<DistillSettings>& settings,
                              const at::Tensor& image, std::uint64_t seed);

  bool any() const { return !pairs_.empty(); }
  /// The activations a forward pass has to fill in.
  NamedTensors student_taps() const;
  NamedTensors teacher_taps() const;
  /// Mean over the pairs of the mean squared error between features.
  Result<at::Tensor> loss(const NamedTensors& student, const NamedTensors& teacher) const;

  std::vector<at::Tensor> parameters() const;
  NamedTensors state() const;
  void restore(const NamedTensors& state);

 private:
  struct Pair {
    std::string student;  ///< tensor names
    std::string teacher;
    at::Tensor projection;  ///< [teacher channels][student channels][1][1], or undefined
  };
  std::vector<Pair> pairs_;
};

}  // namespace assay
