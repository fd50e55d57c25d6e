#include "compress/methods/weight_scale.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace assay {
namespace {

constexpr double kept_fraction = 0.9999;
constexpr int roundings_tried = 256;
constexpr double smallest_part = 0.2;  // of the full scale, among the roundings tried
// Moves of weights between integers that are sorted at 8 bits: milliseconds a channel.
constexpr std::size_t most_moves = 1 << 16;

/// sum |w| q and sum q^2 of one rounding of the weights. Its best scale is wq / qq, which leaves
/// the squared error sum w^2 - wq^2 / qq: the greatest gain is the least error.
struct Rounding {
  double wq = 0;
  double qq = 0;

  double scale() const { return wq / qq; }
  double gain() const { return qq > 0 ? wq * wq / qq : 0; }
};

float largest_magnitude(std::span<const float> weights) {
  float largest = 0;
  for (float weight : weights)
    largest = std::max(largest, std::abs(weight));
  return largest;
}

float percentile_magnitude(std::span<const float> weights) {
  std::vector<float> magnitudes;
  for (float weight : weights)
    magnitudes.push_back(std::abs(weight));
  const auto rank = std::size_t(std::ceil(kept_fraction * double(magnitudes.size())));
  const auto kept = magnitudes.begin() + std::ptrdiff_t(rank) - 1;
  std::nth_element(magnitudes.begin(), kept, magnitudes.end());
  return *kept;
}

/// As the scale shrinks from infinity, |w| moves from q = k - 1 to q = k at |w| / (k - 0.5). Every
/// rounding that any scale gives is met on the way, the best one too.
double exact_scale(std::span<const float> weights, int limit) {
  struct Move {
    double at;
    double magnitude;
    int to;
  };
  std::vector<Move> moves;
  moves.reserve(weights.size() * std::size_t(limit));
  for (float weight : weights)
    for (int k = 1; k <= limit && weight != 0; ++k) {
      const double magnitude = std::abs(double(weight));
      moves.push_back({magnitude / (k - 0.5), magnitude, k});
    }
  std::sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) { return a.at > b.at; });
  Rounding current;
  Rounding best;
  for (const Move& move : moves) {
    current.wq += move.magnitude;
    current.qq += 2 * move.to - 1;
    if (current.gain() > best.gain()) best = current;
  }
  return best.scale();
}

Rounding round_at(std::span<const float> weights, int limit, double scale) {
  Rounding rounding;
  for (float weight : weights) {
    const double magnitude = std::abs(double(weight));
    const double q = std::min<double>(std::nearbyint(magnitude / scale), limit);
    rounding.wq += magnitude * q;
    rounding.qq += q * q;
  }
  return rounding;
}

/// The best of the roundings from full scale down to a part of it.
double searched_scale(std::span<const float> weights, int limit, double full_scale) {
  Rounding best;
  for (int i = 0; i < roundings_tried; ++i) {
    const double scale = full_scale * (1 - (1 - smallest_part) * i / roundings_tried);
    const Rounding rounding = round_at(weights, limit, scale);
    if (rounding.gain() > best.gain()) best = rounding;
  }
  return best.scale();
}

}  // namespace

float weight_scale(std::span<const float> weights, int bits, WeightObserver observer) {
  const int limit = weight_limit(bits);
  const float largest = largest_magnitude(weights);
  if (largest == 0) return 0;
  if (observer == WeightObserver::automatic)
    observer = bits == 8 ? WeightObserver::min_max : WeightObserver::mse;
  if (observer == WeightObserver::min_max) return largest / float(limit);
  if (observer == WeightObserver::percentile) return percentile_magnitude(weights) / float(limit);
  if (bits < 8 || weights.size() * std::size_t(limit) <= most_moves)
    return float(exact_scale(weights, limit));
  return float(searched_scale(weights, limit, double(largest) / limit));
}

double squared_error(std::span<const float> weights, int bits, float scale) {
  const double limit = weight_limit(bits);
  double error = 0;
  for (float weight : weights) {
    const double q = std::clamp<double>(std::nearbyint(weight / scale), -limit, limit);
    const double difference = weight - scale * q;
    error += difference * difference;
  }
  return error;
}

}  // namespace assay
