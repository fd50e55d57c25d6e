// Lowered networks against the simulation of their ONNX nodes: an independent path from the same
// file to the same numbers. Integer arithmetic rounds once more per layer than exact arithmetic
// does, so a layer may differ by one step, and rarely; whole networks must decide alike.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "targets/graph/lower.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/targets/graph/random_networks.hpp"

namespace assay {
namespace {

using onnx::ElementType;
using test::QdqBuilder;
using test::random_branches;
using test::random_network;

std::size_t arg_max(const std::vector<std::int8_t>& values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

/// What the simulation holds for every tensor of the graph.
std::vector<std::vector<std::int8_t>> expected_tensors(const IntegerGraph& graph,
                                                       const test::RealMap& simulated, int shift) {
  std::vector<std::vector<std::int8_t>> values;
  for (const ActivationTensor& tensor : graph.tensors) {
    const bool is_input = values.empty();
    values.push_back(to_nhwc(simulated.at(is_input ? tensor.name + "_q" : tensor.name), shift));
  }
  return values;
}

class LoweredNetwork : public ::testing::TestWithParam<onnx::Model (*)(unsigned)> {};

TEST_P(LoweredNetwork, EveryLayerIsWithinOneStepAndRarelyOff) {
  std::int64_t outputs = 0;
  std::int64_t off = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const onnx::Model model = GetParam()(seed);
    const auto graph = lower(model);
    ASSERT_TRUE(graph) << graph.error().message;
    QdqBuilder inputs(seed + 1000, int(model.inputs[0].shape[1]), int(model.inputs[0].shape[2]),
                      int(model.inputs[0].shape[3]));
    for (int sample = 0; sample < 3; ++sample) {
      const auto simulated = simulate(model, inputs.random_input());
      const auto expected = expected_tensors(*graph, simulated, seed % 2 ? 128 : 0);
      for (const IntegerLayer& layer : graph->layers) {
        auto values = expected;  // so that differences do not travel from layer to layer
        run_reference_layer(*graph, layer, values);
        const auto& want = expected[layer.output];
        const auto& got = values[layer.output];
        ASSERT_EQ(got.size(), want.size()) << layer.name;
        for (std::size_t i = 0; i < got.size(); ++i) {
          ASSERT_LE(std::abs(got[i] - want[i]), 1) << layer.name << " element " << i;
          off += got[i] != want[i];
          ++outputs;
        }
      }
    }
  }
  RecordProperty("off_by_one_per_mille", int(1000 * off / outputs));
  EXPECT_GT(outputs, 50000);
  EXPECT_LT(double(off) / double(outputs), 0.02);
}

TEST_P(LoweredNetwork, DecidesAsTheQuantizedOnnxModelDoes) {
  int same = 0;
  int samples = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const onnx::Model model = GetParam()(seed);
    const auto graph = lower(model);
    ASSERT_TRUE(graph) << graph.error().message;
    const int shift = seed % 2 ? 128 : 0;
    QdqBuilder inputs(seed + 2000, int(model.inputs[0].shape[1]), int(model.inputs[0].shape[2]),
                      int(model.inputs[0].shape[3]));
    for (int sample = 0; sample < 50; ++sample) {
      const auto simulated = simulate(model, inputs.random_input());
      const auto want = to_nhwc(simulated.at(graph->tensors[graph->output].name), shift);
      const auto got = run_reference(*graph, to_nhwc(simulated.at("image_q"), shift));
      same += got[arg_max(want)] == *std::max_element(got.begin(), got.end());
      ++samples;
    }
  }
  EXPECT_GE(double(same) / samples, 0.995) << same << " of " << samples;
}

INSTANTIATE_TEST_SUITE_P(Networks, LoweredNetwork,
                         ::testing::Values(random_network, random_branches),
                         [](const auto& test) { return test.index == 0 ? "Chains" : "Branches"; });

}  // namespace
}  // namespace assay
