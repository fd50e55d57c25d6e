// Networks with int16 activations against the simulation of their ONNX nodes in double precision.
// Products are scaled with 31 bits, so a layer rounds as exact arithmetic does but for ties that
// the last bits decide; what a lookup interpolates is off by what a line is from the curve.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "targets/graph/lower.hpp"
#include "targets/graph/pending_layer.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/targets/graph/random_networks.hpp"

namespace assay::test {
namespace {

class WideNetwork : public ::testing::TestWithParam<onnx::Model (*)(unsigned)> {};

/// Steps between two int16 tensors, the largest and how many elements differ.
struct Difference {
  double largest = 0;
  std::int64_t off = 0;
  std::int64_t elements = 0;

  void add(ElementBytes got, ElementBytes want) {
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < got.size() / 2; ++i) {
      const double apart = std::abs(double(read_element(got, i, Element::int16)) -
                                    double(read_element(want, i, Element::int16)));
      largest = std::max(largest, apart);
      off += apart != 0;
      ++elements;
    }
  }
};

std::size_t arg_max(ElementBytes logits) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < logits.size() / 2; ++i)
    if (read_element(logits, i, Element::int16) > read_element(logits, best, Element::int16))
      best = i;
  return best;
}

std::vector<std::vector<std::int8_t>> expected_tensors(const IntegerGraph& graph,
                                                       const RealMap& simulated) {
  std::vector<std::vector<std::int8_t>> values;
  for (const ActivationTensor& tensor : graph.tensors)
    values.push_back(wide_to_nhwc(simulated.at(values.empty() ? tensor.name + "_q" : tensor.name)));
  return values;
}

TEST_P(WideNetwork, RoundsEveryLayerAsExactArithmeticDoes) {
  Difference exact, looked_up;
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const onnx::Model model = GetParam()(seed);
    const auto graph = lower(model);
    ASSERT_TRUE(graph) << graph.error().message;
    ASSERT_EQ(arithmetic_of(*graph), "int16");
    const auto& shape = model.inputs[0].shape;
    QdqBuilder inputs(seed + 1000, int(shape[1]), int(shape[2]), int(shape[3]));
    for (int sample = 0; sample < 3; ++sample) {
      const auto expected = expected_tensors(*graph, simulate(model, inputs.random_input()));
      for (const IntegerLayer& layer : graph->layers) {
        auto values = expected;  // so that differences do not travel from layer to layer
        run_reference_layer(*graph, layer, values);
        Difference& difference = layer.op == IntegerOp::lookup ? looked_up : exact;
        difference.add(values[layer.output], expected[layer.output]);
      }
    }
  }
  RecordProperty("off_by_one_per_million", int(1e6 * double(exact.off) / double(exact.elements)));
  RecordProperty("lookup_off_by", int(looked_up.largest));
  EXPECT_GT(exact.elements, 50000);
  EXPECT_LE(exact.largest, 1);
  EXPECT_LT(double(exact.off) / double(exact.elements), 0.001);
  EXPECT_LE(looked_up.largest, 40);  // of 65 536
}

TEST_P(WideNetwork, DecidesAsTheQuantizedOnnxModelDoes) {
  int same = 0, samples = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const onnx::Model model = GetParam()(seed);
    const auto graph = lower(model);
    ASSERT_TRUE(graph) << graph.error().message;
    const auto& shape = model.inputs[0].shape;
    QdqBuilder inputs(seed + 2000, int(shape[1]), int(shape[2]), int(shape[3]));
    for (int sample = 0; sample < 20; ++sample) {
      const RealMap simulated = simulate(model, inputs.random_input());
      const auto want = wide_to_nhwc(simulated.at(graph->tensors[graph->output].name));
      const auto got = run_reference(*graph, wide_to_nhwc(simulated.at("image_q")));
      same += arg_max(got) == arg_max(want);
      ++samples;
    }
  }
  EXPECT_GE(double(same) / samples, 0.995) << same << " of " << samples;
}

INSTANTIATE_TEST_SUITE_P(Networks, WideNetwork,
                         ::testing::Values(wide_random_network, wide_random_branches),
                         [](const auto& test) { return test.index == 0 ? "Chains" : "Branches"; });

/// The bounds of ARITHMETIC.md, for every input.
TEST(WideLookup, KeepsToItsBounds) {
  using Kind = ElementFunction::Kind;
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto hard_sigmoid = [](double x) { return std::clamp(0.2 * x + 0.5, 0.0, 1.0); };
  const auto leaky_relu = [](double x) { return x < 0 ? 0.125 * x : x; };
  const struct {
    ElementFunction function;
    double (*exact)(double);
    double reach, out_reach;  ///< of inputs and outputs
    double bound;             ///< in steps
  } rows[] = {{{Kind::sigmoid}, sigmoid, 8, 1, 1.5},
              {{Kind::sigmoid}, sigmoid, 20, 1, 3.5},
              {{Kind::tanh}, [](double x) { return std::tanh(x); }, 4, 1, 1.5},
              {{Kind::hard_sigmoid, 0.2F, 0.5F}, hard_sigmoid, 8, 1, 52},
              {{Kind::leaky_relu, 0.125F}, leaky_relu, 8, 8, 1}};
  for (const auto& row : rows) {
    const auto scale = static_cast<float>(row.reach / 32767);
    const auto out_scale = static_cast<float>(row.out_reach / 32767);
    IntegerGraph graph;
    graph.tensors.push_back(
        {.name = "in", .height = 256, .width = 256, .scale = scale, .element = Element::int16});
    lowering::PendingLayer pending;
    pending.layer.op = IntegerOp::lookup;
    pending.layer.inputs = {0};
    pending.output = graph.tensors[0];
    pending.function = row.function;
    const auto output =
        lowering::finish_layer(graph, pending, {"out", out_scale, 0, Element::int16});
    ASSERT_TRUE(output) << output.error().message;
    graph.output = *output;
    std::vector<std::int16_t> every;
    for (int q = -32768; q <= 32767; ++q)
      every.push_back(static_cast<std::int16_t>(q));
    const auto found = run_reference(graph, bytes_of(std::span<const std::int16_t>(every)));
    double worst = 0;
    for (std::size_t i = 0; i < every.size(); ++i) {
      const double want =
          std::clamp(row.exact(double(scale) * every[i]) / double(out_scale), -32768.0, 32767.0);
      worst = std::max(worst, std::abs(double(read_element(found, i, Element::int16)) - want));
    }
    EXPECT_LE(worst, row.bound) << static_cast<int>(row.function.kind) << " to " << row.reach;
    EXPECT_GT(worst, 0.2) << "no rounding?";
  }
}

}  // namespace
}  // namespace assay::test
