// Ranges of activations from calibration images. Free of Torch. Not thread-safe.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "compress/methods/quantization_scale.hpp"
#include "compress/methods/quantize_settings.hpp"

namespace assay {

/// Sees every activation of one tensor and settles on a range. Percentile and MSE need the values
/// twice: first their extremes, then their histogram between them.
class RangeObserver {
 public:
  /// `bits`: the width of the activations, which MSE needs.
  explicit RangeObserver(Observer kind, int bits = 8) : kind_(kind), bits_(bits) {}

  bool needs_second_pass() const { return kind_ == Observer::percentile || kind_ == Observer::mse; }
  /// First pass. `values` holds the activations of `images` images, one image after another.
  void see(std::span<const float> values, int images);
  /// Second pass, after all of the first.
  void see_again(std::span<const float> values);
  Range range() const;

 private:
  Range percentile_range() const;
  Range least_squares_range() const;
  double value_at(std::size_t bin) const;

  Observer kind_;
  int bits_;
  std::optional<Range> extremes_;
  std::optional<Range> average_;
  std::vector<double> histogram_;
};

}  // namespace assay
