// Generated code over reference kernels, compiled and run, against the interpreter: bit for bit,
// over awkward shapes.
#include "targets/build/generate.hpp"

#include <gmock/gmock.h>

#include <random>

#include "harness/core/file.hpp"
#include "targets/graph/lower.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/targets/graph/qdq_builder.hpp"
#include "tests/targets/pack/compiled_model.hpp"

namespace assay {
namespace {

using test::CompiledModel;
using test::ConvOptions;
using test::QdqBuilder;
using ::testing::HasSubstr;

const std::string some_hash = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

std::vector<std::int8_t> random_bytes(std::mt19937& random, std::size_t size) {
  std::uniform_int_distribution<int> byte(-128, 127);
  std::vector<std::int8_t> bytes(size);
  for (auto& b : bytes)
    b = static_cast<std::int8_t>(byte(random));
  return bytes;
}

struct Shape {
  const char* name;
  int channels, height, width;
  std::string (*build)(QdqBuilder&, std::string);
};

std::string vector_of(QdqBuilder& b, const std::string& x) {
  return b.dense(b.flatten(x), 5);
}

const Shape shapes[] = {
    {"odd_channels_stride_two", 3, 7, 9,
     [](QdqBuilder& b, std::string x) {
       return vector_of(b, b.conv(x, {.outputs = 5, .stride = 2}, "Relu"));
     }},
    {"asymmetric_padding", 2, 6, 5,
     [](QdqBuilder& b, std::string x) {
       return vector_of(b, b.conv(x, {.outputs = 3, .pads = {0, 2, 1, 0}}));
     }},
    {"kernel_larger_than_input", 1, 2, 2,
     [](QdqBuilder& b, std::string x) {
       return vector_of(
           b,
           b.conv(x, {.outputs = 3, .kernel_height = 5, .kernel_width = 4, .pads = {2, 1, 2, 2}}));
     }},
    {"one_by_one_everything", 1, 1, 1,
     [](QdqBuilder& b, std::string x) {
       return vector_of(
           b,
           b.conv(x, {.outputs = 1, .kernel_height = 1, .kernel_width = 1, .pads = {0, 0, 0, 0}}));
     }},
    {"tall_window_stride_three", 4, 11, 3,
     [](QdqBuilder& b, std::string x) {
       return vector_of(b, b.conv(x, {.outputs = 6,
                                      .kernel_height = 5,
                                      .kernel_width = 1,
                                      .stride = 3,
                                      .pads = {1, 0, 0, 0}}));
     }},
    {"depthwise_stride_two", 5, 7, 6,
     [](QdqBuilder& b, std::string x) {
       return vector_of(b, b.conv(x, {.stride = 2, .pads = {0, 0, 1, 1}, .depthwise = true}));
     }},
    {"padded_pool_after_relu6", 3, 7, 7,
     [](QdqBuilder& b, std::string x) {
       return vector_of(b, b.max_pool(b.conv(x, {.outputs = 3}, "Clip"), 3, 2, {1, 1, 1, 1}));
     }},
    {"pools_in_place", 3, 12, 12,
     [](QdqBuilder& b, std::string x) {
       x = b.max_pool(b.conv(x, {.outputs = 7}, "Relu"), 2, 2);
       return vector_of(b, b.average_pool(b.max_pool(x, 2, 1), 2, 2));
     }},
    {"residual", 6, 5, 5,
     [](QdqBuilder& b, std::string x) {
       const auto y = b.conv(b.conv(x, {.outputs = 6}, "Relu"), {.depthwise = true});
       return vector_of(b, b.global_average_pool(b.add(b.add(x, y, "Relu"), y)));
     }},
    {"dense_over_image", 3, 4, 5,
     [](QdqBuilder& b, std::string x) {
       return b.dense(b.dense(b.flatten(x), 17, true, "Relu"), 3);
     }},
};

class GeneratedCode : public ::testing::TestWithParam<Shape> {};

TEST_P(GeneratedCode, EqualsTheInterpreterBitForBit) {
  const Shape& shape = GetParam();
  QdqBuilder b(17, shape.channels, shape.height, shape.width);
  const auto graph = lower(b.finish(shape.build(b, b.input())));
  ASSERT_TRUE(graph) << graph.error().message;
  const auto generated = generate(*graph, nullptr, some_hash);
  ASSERT_TRUE(generated) << generated.error().message;
  const auto compiled = CompiledModel::compile(generated->source, ::testing::TempDir(), shape.name);
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_EQ(compiled->input_bytes(), generated->input_bytes.count());
  EXPECT_EQ(compiled->output_bytes(), generated->output_bytes.count());
  EXPECT_THAT(compiled->model_hash()[1], 0x11);
  std::mt19937 random(5);
  for (int sample = 0; sample < 50; ++sample) {
    const auto input = random_bytes(random, compiled->input_bytes());
    ASSERT_EQ(compiled->run(input), run_reference(*graph, input)) << "sample " << sample;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, GeneratedCode, ::testing::ValuesIn(shapes),
                         [](const auto& shape) { return std::string(shape.param.name); });

IntegerGraph small_graph() {
  QdqBuilder b(21, 2, 8, 8);
  auto x = b.max_pool(b.conv(b.input(), {.outputs = 4}, "Relu"), 2, 2);
  return *lower(b.finish(b.dense(b.flatten(x), 10)));
}

TEST(Generate, AccountsForEveryByte) {
  const auto model = generate(small_graph(), nullptr, some_hash);
  ASSERT_TRUE(model) << model.error().message;
  // Weights and 8 bytes of b' and m per output channel; the pool has no constants.
  EXPECT_EQ(model->weight_bytes, Bytes(4 * 2 * 9 + 4 * 8 + 10 * 64 + 10 * 8));
  EXPECT_EQ(model->macs, Macs(8 * 8 * 4 * 2 * 9 + 640));
  EXPECT_EQ(model->arena_bytes, Bytes(8 * 8 * 2 + 8 * 8 * 4));
  EXPECT_EQ(model->arena_lower_bound, model->arena_bytes);
  EXPECT_EQ(model->scratch_bytes, Bytes(0));
  ASSERT_EQ(model->layers.size(), 3u);
  EXPECT_EQ(model->layers[0].kernel, "conv.reference");
  EXPECT_EQ(model->layers[2].macs, Macs(640));
}

TEST(Generate, TheSameModelGivesTheSameText) {
  EXPECT_EQ(generate(small_graph(), nullptr, some_hash)->source,
            generate(small_graph(), nullptr, some_hash)->source);
}

TEST(Generate, TheTextSaysWhatEachLayerIs) {
  const std::string source = generate(small_graph(), nullptr, some_hash)->source;
  EXPECT_THAT(source, HasSubstr("// node_conv0: convolution, 8x8x2 -> 8x8x4, window 3x3, stride "
                                "1x1, padding 1 1 1 1, 4608 MACs, kernel conv.reference"));
  EXPECT_THAT(source, HasSubstr("// " + some_hash));
}

TEST(Generate, ForeignLayerNamesStayInTheirComments) {
  IntegerGraph graph = small_graph();
  graph.layers[0].name = "a\nint broken = ;\\";
  graph.layers[2].name = "caf\xc3\xa9 ?\?/";
  const auto compiled = CompiledModel::compile(generate(graph, nullptr, some_hash)->source,
                                               ::testing::TempDir(), "foreign_names");
  ASSERT_TRUE(compiled) << compiled.error().message;
}

TEST(Generate, RefusesAHashThatIsNone) {
  for (const char* hash : {"", "abc", "zz"}) {
    const auto model = generate(small_graph(), nullptr, hash);
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().kind, ErrorKind::bad_input);
  }
}

}  // namespace
}  // namespace assay
