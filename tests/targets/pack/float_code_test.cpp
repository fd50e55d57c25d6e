// Generated code over float kernels, compiled and run, against the interpreter: bit for bit, for
// every form of weights, with the fast kernels and with the reference ones.
#include <gmock/gmock.h>

#include <random>

#include "harness/core/file.hpp"
#include "targets/build/generate.hpp"
#include "targets/graph/lower.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/targets/graph/float_form.hpp"
#include "tests/targets/pack/compiled_model.hpp"

namespace assay::test {
namespace {

const std::string some_hash(64, 'a');

/// Every operator, with shapes that leave channels over and windows that reach outside.
onnx::Model awkward_network(unsigned seed) {
  QdqBuilder b(seed, 3, 9, 7);
  auto x = b.conv(b.input(), {.outputs = 6, .stride = 2, .pads = {0, 2, 1, 0}}, "Relu");
  x = b.conv(x, {.depthwise = true}, "Clip");
  const auto gate = b.function("Sigmoid", b.global_average_pool(x));
  const auto branch = b.function(
      "HardSwish",
      b.conv(x, {.outputs = 5, .kernel_height = 1, .kernel_width = 4, .pads = {0, 2, 0, 1}}));
  x = b.concat({b.add(b.multiply(x, gate), x, "Relu"), branch, b.multiply(branch, branch)}, "Relu");
  x = b.max_pool(x, 3, 2, {1, 1, 1, 1});
  x = b.conv(
      x, {.outputs = 8, .kernel_height = 2, .kernel_width = 2, .pads = {1, 0, 0, 1}, .groups = 2});
  x = b.average_pool(x, 2, 1);
  return b.finish(b.dense(b.dense(b.flatten(x), 13, true, "Relu"), 7));
}

std::vector<std::int8_t> random_input(const ActivationTensor& tensor, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> value(0, 2);
  std::vector<float> values(std::size_t(tensor.size()));
  for (float& each : values)
    each = value(random);
  return bytes_of(values);
}

class FloatCode : public ::testing::TestWithParam<std::tuple<FloatForm, bool>> {};

TEST_P(FloatCode, EqualsTheInterpreterBitForBit) {
  const auto& [form, reference] = GetParam();
  const auto folder = ScratchDirectory::create(::testing::TempDir(), "float-");
  ASSERT_TRUE(folder) << folder.error().message;
  for (unsigned seed = 1; seed < 3; ++seed) {
    const auto graph = lower(in_float(awkward_network(seed), form));
    ASSERT_TRUE(graph) << graph.error().message;
    const auto generated =
        generate(*graph, nullptr, some_hash, KernelChoice{.force_reference = reference});
    ASSERT_TRUE(generated) << generated.error().message;
    const auto compiled =
        CompiledModel::compile(generated->source, folder->path(), "seed" + std::to_string(seed));
    ASSERT_TRUE(compiled) << compiled.error().message;
    ASSERT_EQ(compiled->input_bytes(), 4u * 9 * 7 * 3);
    ASSERT_EQ(compiled->output_bytes(), 4u * 7);
    for (unsigned sample = 0; sample < 20; ++sample) {
      const auto input = random_input(graph->tensors[0], sample);
      ASSERT_EQ(compiled->run(input), run_reference(*graph, input)) << "sample " << sample;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, FloatCode,
                         ::testing::Combine(::testing::ValuesIn(float_forms), ::testing::Bool()));

/// Four bytes a weight, two, or one and a scale for each channel; four for every bias.
TEST(FloatSizes, FollowTheFormOfTheWeights) {
  QdqBuilder b(3, 1, 1, 1);
  const auto model = b.finish(b.dense(b.flatten(b.input()), 10));
  const struct {
    FloatForm form;
    std::uint64_t bytes;
    const char* kernel;
  } rows[] = {{FloatForm::float32, 10 * 4 + 40, "dense.float32"},
              {FloatForm::float16, 10 * 2 + 40, "dense.float16"},
              {FloatForm::dynamic, 10 * 1 + 40 + 40, "dense.dynamic"}};
  for (const auto& row : rows) {
    const auto generated = generate(*lower(in_float(model, row.form)), nullptr, some_hash);
    ASSERT_TRUE(generated) << generated.error().message;
    EXPECT_EQ(generated->weight_bytes, Bytes(row.bytes)) << row.kernel;
    EXPECT_EQ(generated->layers[0].kernel, row.kernel);
    EXPECT_EQ(generated->arena_bytes, Bytes(8 + 40));
  }
}

}  // namespace
}  // namespace assay::test
