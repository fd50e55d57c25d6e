#include "compress/methods/observer.hpp"

#include <algorithm>
#include <cmath>

namespace assay {
namespace {

constexpr std::size_t bins = 2048;
// Weight of the past, per image: after 512 images the first has faded to 0.6 %.
constexpr float momentum = 0.99F;
constexpr double kept_fraction = 0.9999;

Range with_zero(float low, float high) {
  return {std::min(low, 0.0F), std::max(high, 0.0F)};
}

}  // namespace

void RangeObserver::see(std::span<const float> values, int images) {
  const std::size_t size = values.size() / std::size_t(images);
  for (std::size_t first = 0; first < values.size(); first += size) {
    const auto [low, high] =
        std::minmax_element(values.begin() + first, values.begin() + first + size);
    if (!extremes_) extremes_ = average_ = Range{*low, *high};
    extremes_ = Range{std::min(extremes_->low, *low), std::max(extremes_->high, *high)};
    average_ = Range{momentum * average_->low + (1 - momentum) * *low,
                     momentum * average_->high + (1 - momentum) * *high};
  }
}

void RangeObserver::see_again(std::span<const float> values) {
  histogram_.resize(bins, 0.0);
  const float width = extremes_->high - extremes_->low;
  const float bins_per_unit = width > 0 ? float(bins) / width : 0.0F;
  for (float value : values) {
    const auto bin = std::size_t(std::max(0.0F, (value - extremes_->low) * bins_per_unit));
    histogram_[std::min(bin, bins - 1)] += 1;
  }
}

double RangeObserver::value_at(std::size_t bin) const {
  const double width = double(extremes_->high) - extremes_->low;
  return extremes_->low + (double(bin) + 0.5) * width / double(bins);
}

Range RangeObserver::percentile_range() const {
  double total = 0;
  for (double count : histogram_)
    total += count;
  const double cut = total * (1 - kept_fraction) / 2;
  std::size_t low = 0;
  for (double seen = histogram_[0]; seen <= cut; seen += histogram_[low])
    ++low;
  std::size_t high = bins - 1;
  for (double seen = histogram_[high]; seen <= cut; seen += histogram_[high])
    --high;
  const double half_bin = (double(extremes_->high) - extremes_->low) / double(2 * bins);
  return with_zero(float(value_at(low) - half_bin), float(value_at(high) + half_bin));
}

Range RangeObserver::least_squares_range() const {
  const Range full = with_zero(extremes_->low, extremes_->high);
  Range best = full;
  double least = -1;
  for (int percent = 100; percent >= 20; --percent) {
    const float part = float(percent) / 100;
    const Range candidate{full.low * part, full.high * part};
    const ActivationScale scale = activation_scale(candidate, bits_);
    double error = 0;
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const double value = value_at(bin);
      const double difference = value - scale.round_trip(value);
      error += histogram_[bin] * difference * difference;
    }
    if (least >= 0 && error >= least) continue;
    least = error;
    best = candidate;
  }
  return best;
}

Range RangeObserver::range() const {
  if (!extremes_) return {};
  switch (kind_) {
    case Observer::min_max:
      return with_zero(extremes_->low, extremes_->high);
    case Observer::moving_average:
      return with_zero(average_->low, average_->high);
    case Observer::percentile:
      return percentile_range();
    case Observer::mse:
      return least_squares_range();
  }
  return {};
}

}  // namespace assay
