#include "reports/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace assay {
namespace {

TEST(Statistics, MeanAndStandardDeviationOfAWorkedExample) {
  // Deviations -3, -1, -1, -1, 0, 0, 2, 4 from the mean 5: squares sum to 32.
  const std::vector<double> values{2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(mean(values), 5);
  EXPECT_DOUBLE_EQ(standard_deviation(values), std::sqrt(32.0 / 7));
}

struct Quantile {
  double probability;
  int degrees;
  double t;
};

class StudentTest : public ::testing::TestWithParam<Quantile> {};

TEST_P(StudentTest, AgreesWithThePublishedTable) {
  const auto& [probability, degrees, t] = GetParam();
  EXPECT_NEAR(student_t_quantile(probability, degrees), t, 6e-4);
}

// NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2.
INSTANTIATE_TEST_SUITE_P(Table, StudentTest,
                         ::testing::Values(Quantile{0.975, 1, 12.706}, Quantile{0.975, 2, 4.303},
                                           Quantile{0.975, 3, 3.182}, Quantile{0.975, 4, 2.776},
                                           Quantile{0.975, 5, 2.571}, Quantile{0.975, 9, 2.262},
                                           Quantile{0.975, 10, 2.228}, Quantile{0.975, 30, 2.042},
                                           Quantile{0.975, 100, 1.984}, Quantile{0.95, 1, 6.314},
                                           Quantile{0.95, 7, 1.895}, Quantile{0.90, 3, 1.638},
                                           Quantile{0.995, 6, 3.707}));

TEST(Student, AgreesWithTheClosedFormsOfOneTwoAndFourDegrees) {
  for (const double p : {0.5, 0.6, 0.75, 0.9, 0.975, 0.9995}) {
    EXPECT_NEAR(student_t_quantile(p, 1), std::tan(std::numbers::pi * (p - 0.5)),
                1e-9 * (1 + std::tan(std::numbers::pi * (p - 0.5))));
    const double a = 4 * p * (1 - p);
    EXPECT_NEAR(student_t_quantile(p, 2), 2 * (p - 0.5) * std::sqrt(2 / a), 1e-9);
    const double q = std::cos(std::acos(std::sqrt(a)) / 3) / std::sqrt(a);
    EXPECT_NEAR(student_t_quantile(p, 4), 2 * std::sqrt(std::max(0.0, q - 1)), 1e-7);
  }
}

TEST(ConfidenceInterval, OfThreeSeeds) {
  // s = 1, n = 3: 4.30265 / sqrt(3).
  const auto half = confidence_half_width(std::vector<double>{89, 90, 91});
  ASSERT_TRUE(half);
  EXPECT_NEAR(*half, 2.484138, 1e-5);
}

TEST(ConfidenceInterval, IsUnknownForOneValueAndZeroWithoutSpread) {
  EXPECT_FALSE(confidence_half_width(std::vector<double>{90}));
  EXPECT_EQ(confidence_half_width(std::vector<double>{90, 90}), 0);
}

}  // namespace
}  // namespace assay
