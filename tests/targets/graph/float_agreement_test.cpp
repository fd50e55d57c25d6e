// Float networks against the simulation of their ONNX nodes in double precision. A sum of n
// products of float32 is off by at most n * 2^-24 of the sum of their magnitudes; the bound here is
// that of the deepest of these networks with a wide margin, and far below any mistake of order or
// layout.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "targets/graph/lower.hpp"
#include "targets/graph/reference_run.hpp"
#include "targets/runtime/float/functions.hpp"
#include "tests/targets/graph/float_form.hpp"
#include "tests/targets/graph/random_networks.hpp"

namespace assay::test {
namespace {

constexpr double tolerance = 1e-5;  // of the largest magnitude in a tensor

class FloatNetwork
    : public ::testing::TestWithParam<std::tuple<onnx::Model (*)(unsigned), FloatForm>> {};

TEST_P(FloatNetwork, ComputesEveryTensorAsItsOnnxNodesDo) {
  const auto& [network, form] = GetParam();
  for (unsigned seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    const onnx::Model model = in_float(network(seed), form);
    const auto graph = lower(model);
    ASSERT_TRUE(graph) << graph.error().message;
    const auto& shape = model.inputs[0].shape;
    QdqBuilder inputs(seed + 1000, int(shape[1]), int(shape[2]), int(shape[3]));
    const Real input = inputs.random_input();
    const RealMap simulated = simulate(model, input);
    const auto values = run_reference_tensors(*graph, float_bytes(input));
    for (std::size_t t = 0; t < values.size(); ++t) {
      const ActivationTensor& tensor = graph->tensors[t];
      ASSERT_EQ(tensor.element, Element::float32);
      // In ONNX a flattened tensor has lost its shape; here nothing moved.
      const auto want = float_bytes(
          {{1, tensor.channels, tensor.height, tensor.width}, simulated.at(tensor.name).values});
      ASSERT_EQ(values[t].size(), want.size()) << tensor.name;
      double largest = 0, worst = 0;
      for (std::int64_t i = 0; i < tensor.size(); ++i) {
        const double expected = double(read_element(want, std::size_t(i), Element::float32));
        const double found = double(read_element(values[t], std::size_t(i), Element::float32));
        largest = std::max(largest, std::abs(expected));
        worst = std::max(worst, std::abs(found - expected));
      }
      EXPECT_LE(worst, tolerance * std::max(largest, 1e-3)) << tensor.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, FloatNetwork,
                         ::testing::Combine(::testing::Values(random_network, random_branches),
                                            ::testing::ValuesIn(float_forms)));

/// Every function on inputs of every size, against the C library's in double precision.
TEST(FloatFunctions, KeepToTheirBound) {
  using kernels::FloatFunction;
  const struct {
    FloatFunction function;
    double (*exact)(double);
  } rows[] = {
      {FloatFunction::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {FloatFunction::tanh, [](double x) { return std::tanh(x); }},
      {FloatFunction::hard_sigmoid, [](double x) { return std::clamp(0.25 * x + 0.5, 0.0, 1.0); }},
      {FloatFunction::hard_swish, [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
      {FloatFunction::leaky_relu, [](double x) { return x < 0 ? 0.25 * x : x; }},
      {FloatFunction::elu, [](double x) { return x < 0 ? 0.25 * std::expm1(x) : x; }},
  };
  for (const auto& row : rows)
    for (int i = -400000; i <= 400000; ++i) {
      const float x = static_cast<float>(i) * 0.00037f;
      const double want = row.exact(double(x));
      const double found = double(kernels::apply(row.function, x, 0.25f, 0.5f));
      ASSERT_LE(std::abs(found - want), 0x1p-22 * std::max(1.0, std::abs(want)))
          << static_cast<int>(row.function) << " of " << x;
    }
}

TEST(FloatFunctions, EndWhereTheNumbersEnd) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(kernels::sigmoid(-infinity), 0.0f);
  EXPECT_EQ(kernels::sigmoid(infinity), 1.0f);
  EXPECT_EQ(kernels::hyperbolic_tangent(-infinity), -1.0f);
  EXPECT_EQ(kernels::hyperbolic_tangent(1e30f), 1.0f);
  EXPECT_EQ(kernels::exponential(0), 1.0f);
}

/// Exact: all 63 488 finite numbers.
TEST(Widening, IsExactForEveryFiniteFloat16) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const int exponent = int(bits >> 10 & 31), fraction = int(bits & 1023);
    if (exponent == 31) continue;
    const double size =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    const float found = kernels::widen(static_cast<std::uint16_t>(bits));
    ASSERT_EQ(double(found), bits & 0x8000 ? -size : size) << bits;
    ASSERT_EQ(std::signbit(found), (bits & 0x8000) != 0) << bits;
  }
}

}  // namespace
}  // namespace assay::test
