// Random numbers for initial weights. Not thread-safe.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>
#include <random>
#include <utility>

namespace assay {

/// Normal deviates with the same bits everywhere, which std::normal_distribution does not promise.
class NormalSource {
 public:
  explicit NormalSource(std::uint64_t seed) : generator_(seed) {}
  double draw() {
    if (spare_) return *std::exchange(spare_, std::nullopt);
    // In (0, 1], so that the logarithm is finite.
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    const double angle = 2 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    return radius * std::cos(angle);
  }

 private:
  double uniform() { return double(generator_() >> 11) * 0x1p-53; }

  std::mt19937_64 generator_;
  std::optional<double> spare_;
};

}  // namespace assay
