// Fake quantization against its formulas, element by element in double.
#include "compress/train/fake_quantize.hpp"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "compress/train/tensors.hpp"

namespace assay {
namespace {

struct Grid {
  const char* name;
  float scale;
  int zero_point, low, high;
};

// Of the scales that are powers of two every half step is exact, so ties are decided, too.
const Grid grids[] = {{"Int8", 0.25F, 3, -128, 127},
                      {"Int8FromZero", 0.037F, -128, -128, 127},
                      {"Int4", 0.5F, 0, -7, 7},
                      {"Ternary", 2, 0, -1, 1},
                      {"Int16", 1.0F / 1024, 0, -32767, 32767},
                      {"Int16Uneven", 3e-4F, 0, -32767, 32767}};

/// One element by the formulas of the header; `q` before the zero point is taken off.
struct Reference {
  double steps, q, clamped;
  bool inside() const { return q == clamped; }
  /// Whether the rounding of x / scale in float may decide otherwise.
  bool near_a_tie() const {
    return std::abs(std::abs(steps - std::trunc(steps)) - 0.5) < 1e-6 * (1 + std::abs(steps));
  }
};

Reference reference(float x, const Grid& grid) {
  const double steps = double(x) / grid.scale;
  const double q = std::nearbyint(steps) + grid.zero_point;  // half to even
  return {steps, q, std::clamp(q, double(grid.low), double(grid.high))};
}

bool exact(const Grid& grid) {
  return std::log2(grid.scale) == std::round(std::log2(grid.scale));
}

/// Every half step from below `low` to above `high` (of int16 every 97th), far values, and random
/// ones; [2][3][n][4].
at::Tensor inputs(const Grid& grid) {
  std::vector<float> values{0, -0.0F, 1e30F, -1e30F, grid.scale * 1e6F, -grid.scale * 1e6F};
  const int stride = grid.high > 127 ? 97 : 1;
  for (int half = 2 * (grid.low - grid.zero_point) - 9;
       half < 2 * (grid.high - grid.zero_point) + 9; half += stride)
    values.push_back(0.5F * float(half) * grid.scale);
  for (int edge = -4; edge <= 4; ++edge)
    for (const int limit : {grid.low, grid.high})
      values.push_back((float(limit - grid.zero_point) + 0.5F * float(edge)) * grid.scale);
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, 0.5F * float(grid.high) * grid.scale);
  while (values.size() < 600 || values.size() % 24 != 0)
    values.push_back(normal(generator));
  return at::tensor(values).reshape({2, 3, -1, 4});
}

at::Tensor step_of(const Grid& grid) {
  return at::full({1}, grid.scale);
}

class FakeQuantizing : public ::testing::TestWithParam<Grid> {};

TEST_P(FakeQuantizing, GivesTheNearestStepWithinTheRange) {
  const Grid grid = GetParam();
  const at::Tensor x = inputs(grid);
  const auto y = to_vector(fake_quantize(x, step_of(grid), grid.zero_point, grid.low, grid.high));
  const auto in = to_vector(x);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Reference element = reference(in[i], grid);
    const float expected = grid.scale * float(element.clamped - grid.zero_point);
    const bool free = !exact(grid) && element.near_a_tie();
    EXPECT_NEAR(y[i], expected, free ? 1.01 * grid.scale : 0) << in[i];
  }
}

TEST_P(FakeQuantizing, PassesTheGradientStraightThroughWhereNothingIsClamped) {
  const Grid grid = GetParam();
  for (const bool learned : {false, true}) {
    const at::Tensor x = inputs(grid).requires_grad_(true);
    const at::Tensor step = step_of(grid).requires_grad_(learned);
    const at::Tensor gradient = at::linspace(-1, 2, x.numel()).reshape(x.sizes());
    fake_quantize(x, step, grid.zero_point, grid.low, grid.high).backward(gradient);
    const auto in = to_vector(x);
    const auto from = to_vector(gradient);
    const auto to = to_vector(x.grad());
    for (std::size_t i = 0; i < in.size(); ++i) {
      const Reference element = reference(in[i], grid);
      if (!exact(grid) && element.near_a_tie()) continue;
      EXPECT_EQ(to[i], element.inside() ? from[i] : 0) << in[i];
    }
  }
}

// Esser et al., 2020, equation 3.
TEST_P(FakeQuantizing, GivesTheScaleTheGradientOfLearnedStepSizes) {
  const Grid grid = GetParam();
  // Values as large as 1e30 would leave nothing of the others in a sum.
  at::Tensor x = inputs(grid);
  const double span = 2.0 * (grid.high - grid.low) * grid.scale;
  x = x.clamp(-span, span).requires_grad_(true);
  const at::Tensor step = step_of(grid).requires_grad_(true);
  const at::Tensor gradient = at::linspace(-1, 2, x.numel()).reshape(x.sizes());
  fake_quantize(x, step, grid.zero_point, grid.low, grid.high).backward(gradient);
  const auto in = to_vector(x);
  const auto from = to_vector(gradient);
  double expected = 0;
  double magnitudes = 0;
  double ties = 0;  // what the elements that may be rounded otherwise can change
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Reference element = reference(in[i], grid);
    const double slope = element.clamped - grid.zero_point - (element.inside() ? element.steps : 0);
    expected += from[i] * slope;
    magnitudes += std::abs(from[i] * slope);
    if (!exact(grid) && element.near_a_tie())
      ties += std::abs(from[i]) * (1 + (element.inside() ? 0 : std::abs(element.steps)));
    // x / scale is a float: its last bit is what a slope within half a step is made of.
    if (!exact(grid) && element.inside()) ties += std::abs(from[i] * element.steps) * 2e-7;
  }
  EXPECT_NEAR(step.grad().item<float>(), expected, 1e-5 * magnitudes + ties);
  EXPECT_GT(magnitudes, 0);
}

TEST_P(FakeQuantizing, DoesNotDependOnTheMemoryLayout) {
  const Grid grid = GetParam();
  const auto run = [&](const at::Tensor& layout, const at::Tensor& gradient) {
    const at::Tensor x = layout.detach().requires_grad_(true);
    const at::Tensor step = step_of(grid).requires_grad_(true);
    const at::Tensor y = fake_quantize(x, step, grid.zero_point, grid.low, grid.high);
    y.backward(gradient);
    return std::tuple{to_vector(y), to_vector(x.grad()), step.grad().item<float>()};
  };
  const at::Tensor x = inputs(grid).clamp(-1e3 * grid.scale, 1e3 * grid.scale);
  const at::Tensor gradient = at::linspace(-1, 2, x.numel()).reshape(x.sizes());
  const auto [values, gradients, slope] = run(x, gradient);
  const at::Tensor channels_last = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor turned = x.transpose(1, 3).contiguous().transpose(1, 3);
  const at::Tensor sparse = at::stack({x, x}, 4).select(4, 1);  // every second element
  ASSERT_FALSE(sparse.is_non_overlapping_and_dense());
  for (const at::Tensor& layout : {x, channels_last, turned, sparse})
    for (const at::Tensor& upstream :
         {gradient, gradient.contiguous(at::MemoryFormat::ChannelsLast)}) {
      const auto [other_values, other_gradients, other_slope] = run(layout, upstream);
      EXPECT_EQ(other_values, values);
      EXPECT_EQ(other_gradients, gradients);
      EXPECT_NEAR(other_slope, slope, 1e-5 * std::abs(slope));
    }
}

INSTANTIATE_TEST_SUITE_P(Grids, FakeQuantizing, ::testing::ValuesIn(grids),
                         [](const auto& test) { return test.param.name; });

/// Outputs and gradients of both forms at the same numbers.
TEST(FakeQuantizedWeights, AreTheSameFunctionAsActivationsOfAScale) {
  for (const Grid& grid : grids) {
    if (grid.zero_point != 0) continue;
    SCOPED_TRACE(grid.name);
    // Off the ties: autograd's clamp and a rounded integer may decide those differently.
    const at::Tensor values =
        inputs(grid).clamp(-1e5 * grid.scale, 1e5 * grid.scale) + 0.1 * grid.scale;
    const at::Tensor gradient = at::linspace(-1, 2, values.numel()).reshape(values.sizes());
    const at::Tensor x = values.clone().requires_grad_(true);
    const at::Tensor w = values.clone().requires_grad_(true);
    const at::Tensor step_x = step_of(grid).requires_grad_(true);
    const at::Tensor step_w = step_of(grid).requires_grad_(true);
    const at::Tensor y = fake_quantize(x, step_x, 0, -grid.high, grid.high);
    const at::Tensor z = fake_quantize_weights(w, step_w, grid.high);
    y.backward(gradient);
    z.backward(gradient);
    EXPECT_TRUE(at::allclose(y, z, 1e-5, 1e-5 * grid.scale));
    EXPECT_TRUE(at::allclose(x.grad(), w.grad(), 1e-5, 1e-7));  // g / scale * scale is nearly g
    const double slope = step_x.grad().item<double>();
    EXPECT_NEAR(step_w.grad().item<double>(), slope, 2e-3 * std::abs(slope) + 1);
  }
}

TEST(FakeQuantizedWeights, HaveOneScaleAChannel) {
  const at::Tensor weights = at::linspace(-3, 3, 3 * 2 * 3 * 3).reshape({3, 2, 3, 3});
  const at::Tensor scales = at::tensor({0.25F, 0.5F, 0.01F});
  const at::Tensor w = weights.clone().requires_grad_(true);
  const at::Tensor s = scales.clone().requires_grad_(true);
  const at::Tensor y = fake_quantize_weights(w, s.reshape({3, 1, 1, 1}), 7);
  y.backward(at::ones_like(y));
  for (int channel = 0; channel < 3; ++channel) {
    const at::Tensor row = weights.select(0, channel).clone().requires_grad_(true);
    const at::Tensor scale = scales.slice(0, channel, channel + 1).clone().requires_grad_(true);
    const at::Tensor alone = fake_quantize_weights(row, scale, 7);
    alone.backward(at::ones_like(alone));
    EXPECT_TRUE(y.select(0, channel).equal(alone)) << channel;
    EXPECT_TRUE(w.grad().select(0, channel).equal(row.grad())) << channel;
    EXPECT_NEAR(s.grad()[channel].item<float>(), scale.grad().item<float>(), 1e-4) << channel;
  }
}

}  // namespace
}  // namespace assay
