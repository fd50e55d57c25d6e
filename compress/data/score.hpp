// How good a network's outputs are. Free of Torch. Not thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/data/dataset.hpp"
#include "harness/core/json.hpp"
#include "harness/core/result.hpp"

namespace assay {

/// Compares the outputs for the images of a set with the set's answers. Of a classification the
/// largest output counts, of equal ones the first; of a regression the Euclidean distance to the
/// targets, in their unit.
class Score {
 public:
  /// `images` outlives the score. With `class_names` (DatasetInfo's) every class is counted too.
  explicit Score(const ImageSet& images, std::vector<std::string> class_names = {})
      : images_(images), class_names_(std::move(class_names)), classes_(class_names_.size()) {}
  /// `outputs` [count][outputs] of the images first to first + count - 1. Errors: bad_input when
  /// one is not a finite number, naming the image; the score is then without meaning.
  Status add(int first, int count, std::span<const float> outputs);

  std::optional<double> accuracy() const;    ///< 0 to 1; of a classification
  std::optional<double> mean_error() const;  ///< of a regression
  /// {"count", "correct", "accuracy_top1", "per_class": [{"class", "count", "correct"}]}, or
  /// {"count", "error_mean"}.
  Json json() const;

 private:
  struct Tally {
    int count = 0;
    int correct = 0;
  };
  bool regression() const { return !images_.targets.empty(); }

  const ImageSet& images_;
  std::vector<std::string> class_names_;
  Tally all_;
  std::vector<Tally> classes_;
  double distances_ = 0;
};

}  // namespace assay
