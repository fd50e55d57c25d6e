// Lowered networks against ONNX Runtime, which knows nothing of our arithmetic: random int8 and
// int16 QDQ networks of every operator, and their decisions on random images.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "harness/core/file.hpp"
#include "targets/graph/input.hpp"
#include "targets/graph/lower.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/onnxruntime/onnx_runtime.hpp"
#include "tests/targets/graph/float_form.hpp"
#include "tests/targets/graph/random_networks.hpp"

namespace assay::test {
namespace {

constexpr std::size_t images = 100;
constexpr unsigned networks = 10;

/// How often two ways through the same file decide alike, and how far their outputs are apart.
struct Agreement {
  std::size_t same = 0;
  std::size_t total = 0;
  double largest_difference = 0;  ///< in steps of the output
  void add(std::span<const float> theirs, std::span<const std::int8_t> ours,
           const ActivationTensor& tensor) {
    const auto decided = std::max_element(theirs.begin(), theirs.end()) - theirs.begin();
    std::vector<float> logits;
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      logits.push_back(read_element(ours, std::size_t(i), tensor.element));
    same += logits[std::size_t(decided)] == *std::max_element(logits.begin(), logits.end());
    ++total;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double step = theirs[i] / tensor.scale + tensor.zero_point - logits[i];
      largest_difference = std::max(largest_difference, std::abs(step));
    }
  }
};

std::vector<float> random_images(const onnx::Model& model, unsigned seed) {
  const auto& shape = model.inputs.front().shape;
  QdqBuilder source(seed, int(shape[1]), int(shape[2]), int(shape[3]));
  std::vector<float> values;
  for (std::size_t i = 0; i < images; ++i) {
    const auto image = source.random_input().values;
    values.insert(values.end(), image.begin(), image.end());
  }
  return values;
}

struct Kind {
  const char* name;
  onnx::Model (*network)(unsigned seed);
  double tolerated;  ///< steps of the output
};

class Networks : public ::testing::TestWithParam<Kind> {};

TEST_P(Networks, DecideAsOnnxRuntimeDoes) {
  Agreement agreement;
  const auto folder = ScratchDirectory::create(::testing::TempDir(), "networks-");
  ASSERT_TRUE(folder) << folder.error().message;
  for (unsigned seed = 0; seed < networks; ++seed) {
    SCOPED_TRACE(seed);
    const onnx::Model model = GetParam().network(seed);
    const auto path = folder->path() / fmt::format("{}.onnx", seed);
    ASSERT_TRUE(onnx::write_model(model, path));
    const auto graph = lower(model);
    ASSERT_TRUE(graph) << graph.error().message;
    const std::vector<float> inputs = random_images(model, seed + 3000);
    auto shape = model.inputs.front().shape;
    shape[0] = 1;
    const auto theirs = run_onnx_runtime(path, shape, inputs);
    ASSERT_TRUE(theirs) << theirs.error().message;
    const ActivationTensor& in = graph->tensors[std::size_t(graph->input)];
    const ActivationTensor& out = graph->tensors[std::size_t(graph->output)];
    const auto size = std::size_t(in.size()), classes = std::size_t(out.size());
    ASSERT_EQ(theirs->size(), images * classes);
    for (std::size_t i = 0; i < images; ++i) {
      const auto image = std::span(inputs).subspan(i * size, size);
      agreement.add(std::span(*theirs).subspan(i * classes, classes),
                    run_reference(*graph, quantize_values(image, in)), out);
    }
  }
  fmt::print("{} of {} decisions alike, outputs at most {:.0f} steps apart\n", agreement.same,
             agreement.total, agreement.largest_difference);
  EXPECT_GE(double(agreement.same) / double(agreement.total), 0.995);
  EXPECT_LE(agreement.largest_difference, GetParam().tolerated);
}

/// Of int8 a step for each of the layers in a row. Of int16, 256 times as fine, float32's rounding
/// of sums and what lookups interpolate are steps, too.
INSTANTIATE_TEST_SUITE_P(Kinds, Networks,
                         ::testing::Values(Kind{"Chains", random_network, 4.01},
                                           Kind{"Branches", random_branches, 4.01},
                                           Kind{"WideChains", wide_random_network, 4.01},
                                           Kind{"WideBranches", wide_random_branches, 16}),
                         [](const auto& test) { return std::string(test.param.name); });

/// Two orders of summation in float32: a relative 1e-4 of the largest logit.
class FloatNetworks
    : public ::testing::TestWithParam<std::tuple<onnx::Model (*)(unsigned), FloatForm>> {};

TEST_P(FloatNetworks, ComputeAsOnnxRuntimeDoes) {
  const auto& [network, form] = GetParam();
  const auto folder = ScratchDirectory::create(::testing::TempDir(), "networks-");
  ASSERT_TRUE(folder) << folder.error().message;
  double worst = 0;
  for (unsigned seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE(seed);
    const onnx::Model model = in_float(network(seed), form);
    const auto path = folder->path() / fmt::format("{}.onnx", seed);
    ASSERT_TRUE(onnx::write_model(model, path));
    const auto graph = lower(model);
    ASSERT_TRUE(graph) << graph.error().message;
    const std::vector<float> inputs = random_images(model, seed + 3000);
    auto shape = model.inputs.front().shape;
    shape[0] = 1;
    const auto theirs = run_onnx_runtime(path, shape, inputs);
    ASSERT_TRUE(theirs) << theirs.error().message;
    const auto size = std::size_t(graph->tensors[std::size_t(graph->input)].size());
    const auto classes = std::size_t(graph->tensors[std::size_t(graph->output)].size());
    ASSERT_EQ(theirs->size(), images * classes);
    for (std::size_t i = 0; i < images; ++i) {
      const Real image{shape,
                       {inputs.begin() + std::ptrdiff_t(i * size),
                        inputs.begin() + std::ptrdiff_t((i + 1) * size)}};
      const auto ours = run_reference(*graph, float_bytes(image));
      double largest = 0, difference = 0;
      for (std::size_t c = 0; c < classes; ++c) {
        const double expected = double((*theirs)[i * classes + c]);
        const double found = double(read_element(ours, c, Element::float32));
        largest = std::max(largest, std::abs(expected));
        difference = std::max(difference, std::abs(found - expected));
      }
      worst = std::max(worst, difference / largest);
    }
  }
  fmt::print("outputs differ by at most {:.1e} of the largest\n", worst);
  EXPECT_LE(worst, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FloatNetworks,
                         ::testing::Combine(::testing::Values(random_network, random_branches),
                                            ::testing::ValuesIn(float_forms)));

TEST(OnnxRuntime, SaysWhyItRefusesAModel) {
  const auto answer = run_onnx_runtime("/nowhere/model.onnx", {1, 1, 2, 2}, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::failed_verdict);
  EXPECT_NE(answer.error().message.find("/nowhere/model.onnx"), std::string::npos);
}

}  // namespace
}  // namespace assay::test
