// Small-sample statistics for tables. Pure, thread-safe.
#pragma once

#include <optional>
#include <span>

namespace assay {

/// Arithmetic mean. `values` is not empty.
double mean(std::span<const double> values);

/// Sample standard deviation (n - 1 in the denominator). At least two values.
double standard_deviation(std::span<const double> values);

/// The t for which Student's distribution with `degrees` (>= 1) degrees of freedom has the
/// probability `probability` (0.5 <= p < 1) of lying below it. Abramowitz & Stegun 26.7.3, 26.7.4,
/// inverted.
double student_t_quantile(double probability, int degrees);

/// Half the width of the 95 % confidence interval of the mean, t * s / sqrt(n); absent for fewer
/// than two values.
std::optional<double> confidence_half_width(std::span<const double> values);

}  // namespace assay
