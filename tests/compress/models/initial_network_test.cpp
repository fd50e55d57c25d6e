// The float ONNX file of a network, and the meaning of its input.
#include "compress/train/export.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LayerSpec layer(const char* name, LayerOp op, std::vector<int> inputs) {
  LayerSpec spec;
  spec.name = name;
  spec.op = op;
  spec.inputs = std::move(inputs);
  return spec;
}

/// One depthwise and one dense layer with everything an export has to tell.
onnx::Model exported() {
  ModelSpec spec{"tiny", 2, 4, 4, 3, {}};
  LayerSpec depthwise = layer("dw", LayerOp::depthwise, {-1});
  depthwise.kernel = 3;
  depthwise.stride = 2;
  depthwise.padding = 1;
  LayerSpec dense = layer("head", LayerOp::dense, {2});
  dense.out_channels = 3;
  spec.layers = {depthwise, layer("clip", LayerOp::relu6, {0}),
                 layer("flat", LayerOp::flatten, {1}), dense};
  std::vector<LayerParameters> parameters(4);
  parameters[0] = {{2, 1, 3, 3}, std::vector<float>(18, 0.5F), {1, 2}, {}};
  parameters[3] = {{3, 8}, std::vector<float>(24, 0.25F), {3, 4, 5}, {}};
  return export_float(spec, parameters, {"two-planes", {{0.25F, 0.5F}, {0.125F, 1.0F}}});
}

TEST(ExportFloat, WritesOneNodePerLayer) {
  const onnx::Model model = exported();
  EXPECT_EQ(model.opset, 17);
  EXPECT_THAT(model.inputs[0].shape, ElementsAre(-1, 2, 4, 4));
  EXPECT_EQ(model.outputs[0].name, "logits");
  ASSERT_EQ(model.nodes.size(), 4U);
  const onnx::Node& depthwise = model.nodes[0];
  EXPECT_EQ(depthwise.op_type, "Conv");
  EXPECT_EQ(depthwise.integer("group", 0), 2);
  EXPECT_THAT(depthwise.integers("strides", {}), ElementsAre(2, 2));
  EXPECT_THAT(depthwise.integers("pads", {}), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(depthwise.inputs, ElementsAre("input", "dw.weight", "dw.bias"));
  EXPECT_EQ(model.nodes[1].op_type, "Clip");
  EXPECT_EQ(model.initializer("clip.max")->as<float>()[0], 6);
  EXPECT_EQ(model.nodes[2].op_type, "Flatten");
  EXPECT_EQ(model.nodes[3].op_type, "Gemm");
  EXPECT_EQ(model.nodes[3].integer("transB", 0), 1);
  EXPECT_THAT(model.nodes[3].outputs, ElementsAre("logits"));
}

TEST(ExportFloat, SurvivesTheFileAndKeepsItsBytes) {
  const std::string bytes = onnx::serialize_model(exported());
  EXPECT_EQ(onnx::serialize_model(exported()), bytes);
  const auto read = onnx::parse_model(std::as_bytes(std::span(bytes)), "tiny.onnx");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(onnx::serialize_model(*read), bytes);
}

TEST(InputMeaning, ComesBackFromTheMetadata) {
  const auto meaning = read_input_meaning(exported(), "tiny.onnx");
  ASSERT_TRUE(meaning) << meaning.error().message;
  EXPECT_EQ(meaning->dataset, "two-planes");
  EXPECT_THAT(meaning->normalization.mean, ElementsAre(0.25F, 0.5F));
  EXPECT_THAT(meaning->normalization.deviation, ElementsAre(0.125F, 1.0F));
}

TEST(InputMeaning, RefusesWhatSaysNothing) {
  const struct {
    const char* key;
    const char* value;  ///< nullptr: the property is removed
    const char* expected;
  } cases[] = {
      {"assay.mean", nullptr, "no metadata property assay.mean"},
      {"assay.deviation", nullptr, "no metadata property assay.deviation"},
      {"assay.mean", "0.5", "expected 2 number(s)"},
      {"assay.mean", "0.5,0.5,0.5", "expected 2 number(s)"},
      {"assay.mean", "0.5,x", "expected 2 number(s)"},
      {"assay.mean", "0.5,0.5 apples", "expected 2 number(s)"},
      {"assay.deviation", "0.5,0", "must be above 0"},
      {"assay.deviation", "-1,1", "must be above 0"},
  };
  for (const auto& test : cases) {
    onnx::Model model = exported();
    model.metadata.erase(test.key);
    if (test.value) model.metadata[test.key] = test.value;
    const auto meaning = read_input_meaning(model, "tiny.onnx");
    ASSERT_FALSE(meaning) << test.expected;
    EXPECT_THAT(meaning.error().message, HasSubstr(test.expected));
  }
}

}  // namespace
}  // namespace assay
