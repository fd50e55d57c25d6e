// Generated code that runs layers strip by strip, compiled by g++ and run, against the interpreter:
// bit for bit.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "targets/build/generate.hpp"
#include "targets/graph/lower.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/targets/graph/float_form.hpp"
#include "tests/targets/graph/random_networks.hpp"
#include "tests/targets/graph/strip_ranges.hpp"
#include "tests/targets/pack/compiled_model.hpp"

namespace assay {
namespace {

const std::string some_hash = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

/// Some plan of the network.
std::optional<StripRange> draw_range(const IntegerGraph& graph, std::mt19937& random) {
  const auto plans = test::all_strip_plans(graph);
  if (plans.empty()) return std::nullopt;
  return plans[random() % plans.size()].range;
}

void expect_same_logits(const IntegerGraph& graph, const StripRange& range, std::mt19937& random,
                        const std::string& name) {
  KernelChoice choice;
  choice.strips = range;
  const auto generated = generate(graph, nullptr, some_hash, choice);
  ASSERT_TRUE(generated) << generated.error().message;
  const auto model =
      test::CompiledModel::compile(generated->source, ::testing::TempDir(), "strips_" + name);
  ASSERT_TRUE(model) << model.error().message;
  const bool real = graph.tensors[graph.input].element == Element::float32;
  for (int sample = 0; sample < 20; ++sample) {
    std::vector<std::int8_t> input(model->input_bytes());
    for (std::size_t i = 0; i < input.size(); i += real ? 4 : 1) {
      const float value = static_cast<float>(random() % 2001) / 1000 - 1;
      if (real)
        std::memcpy(&input[i], &value, 4);
      else
        input[i] = static_cast<std::int8_t>(random());
    }
    ASSERT_EQ(model->run(input), run_reference(graph, input)) << "sample " << sample;
  }
}

class StripCode : public ::testing::TestWithParam<unsigned> {};

TEST_P(StripCode, LogitsEqualTheInterpreters) {
  std::mt19937 random(GetParam());
  const auto graph = lower(test::random_stages(GetParam()));
  ASSERT_TRUE(graph) << graph.error().message;
  const auto range = draw_range(*graph, random);
  ASSERT_TRUE(range);
  expect_same_logits(*graph, *range, random, std::to_string(GetParam()));
}

TEST(StripCode, LogitsOfInt16EqualTheInterpreters) {
  std::mt19937 random(6);
  for (unsigned seed = 210; seed < 216; ++seed) {
    SCOPED_TRACE(seed);
    const auto graph = lower(test::wide_random_stages(seed));
    ASSERT_TRUE(graph) << graph.error().message;
    const auto range = draw_range(*graph, random);
    ASSERT_TRUE(range);
    expect_same_logits(*graph, *range, random, "int16_" + std::to_string(seed));
  }
}

TEST(StripCode, LogitsInFloatEqualTheInterpreters) {
  std::mt19937 random(5);
  for (unsigned seed = 200; seed < 206; ++seed) {
    SCOPED_TRACE(seed);
    const auto graph =
        lower(test::in_float(test::random_stages(seed), test::float_forms[seed % 3]));
    ASSERT_TRUE(graph) << graph.error().message;
    const auto range = draw_range(*graph, random);
    ASSERT_TRUE(range);
    expect_same_logits(*graph, *range, random, "float" + std::to_string(seed));
  }
}

INSTANTIATE_TEST_SUITE_P(Stages, StripCode, ::testing::Range(100u, 130u));

TEST(StripCode, ARangeThatCannotRunInStripsIsRefused) {
  const auto graph = lower(test::random_stages(3));
  ASSERT_TRUE(graph) << graph.error().message;
  KernelChoice choice;
  choice.strips = StripRange{0, graph->layers.size() - 1, 1};  // ends with a dense layer
  const auto generated = generate(*graph, nullptr, some_hash, choice);
  ASSERT_FALSE(generated);
  EXPECT_EQ(generated.error().kind, ErrorKind::bad_input);
  EXPECT_NE(generated.error().message.find("cannot run in strips of 1 rows"), std::string::npos)
      << generated.error().message;
}

}  // namespace
}  // namespace assay
