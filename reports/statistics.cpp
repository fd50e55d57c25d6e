#include "reports/statistics.hpp"

#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>

namespace assay {
namespace {

/// Probability that |t| of Student's distribution stays below `t`: the closed form for whole
/// degrees of freedom, with theta = atan(t / sqrt(degrees)).
double two_sided_probability(double t, int degrees) {
  const double theta = std::atan2(t, std::sqrt(degrees));
  const double cosine = std::cos(theta);
  const bool odd = degrees % 2 == 1;
  // The series 1 + 1/2 cos^2 + 1*3/(2*4) cos^4 + ... (even), cos + 2/3 cos^3 + ... (odd).
  double term = odd ? cosine : 1;
  double sum = degrees == 1 ? 0 : term;
  for (int k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= cosine * cosine * (k - 1) / k;
    sum += term;
  }
  return odd ? 2 / std::numbers::pi * (theta + std::sin(theta) * sum) : std::sin(theta) * sum;
}

}  // namespace

double mean(std::span<const double> values) {
  assert(!values.empty());
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  assert(values.size() >= 2);
  const double center = mean(values);
  double squares = 0;
  for (const double value : values)
    squares += (value - center) * (value - center);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double student_t_quantile(double probability, int degrees) {
  assert(degrees >= 1 && probability >= 0.5 && probability < 1);
  const double wanted = 2 * probability - 1;
  double low = 0;
  double high = 1;
  while (two_sided_probability(high, degrees) < wanted)
    high *= 2;
  for (int halvings = 0; halvings < 100; ++halvings) {
    const double middle = (low + high) / 2;
    (two_sided_probability(middle, degrees) < wanted ? low : high) = middle;
  }
  return high;
}

std::optional<double> confidence_half_width(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const double count = static_cast<double>(values.size());
  return student_t_quantile(0.975, static_cast<int>(values.size()) - 1) *
         standard_deviation(values) / std::sqrt(count);
}

}  // namespace assay
