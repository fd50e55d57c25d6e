// What cannot be trained is refused by the name of its node.
#include <gmock/gmock.h>

#include "compress/train/operators.hpp"
#include "compress/train/trainable.hpp"
#include "compress/train/trainable_network.hpp"
#include "tests/compress/train/trainable_models.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing_models::conv_pool_dense;
using testing_models::every_operator;
using testing_models::ModelBuilder;
using testing_models::numbers;
using testing_models::whole;
using testing_models::with_integers;

onnx::Model one_layer(const std::string& op_type, std::vector<std::string> inputs,
                      std::map<std::string, onnx::Attribute> attributes = {}) {
  return ModelBuilder(1, 2, 2)
      .constant("w", {1, 1, 1, 1}, {1})
      .constant("v", {2, 4}, numbers(8))
      .constant("b", {2}, numbers(2))
      .node("Flatten", {"x"}, "flat")
      .node("Relu", {"x"}, "image")
      .node(op_type, std::move(inputs), "y", std::move(attributes))
      .build();
}

struct Refusal {
  const char* name;
  onnx::Model model;
  const char* expected;
};

class TrainableNetworkRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(TrainableNetworkRefuses, ByNodeName) {
  const auto network = TrainableNetwork::create(GetParam().model, "m.onnx");
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(network.error().message, HasSubstr("m.onnx"));
  EXPECT_THAT(network.error().message, HasSubstr(GetParam().expected));
}

onnx::Model changed(onnx::Model model, void (*change)(onnx::Model&)) {
  change(model);
  return model;
}

const std::map<std::string, onnx::Attribute> transposed{{"transB", std::int64_t{1}}};
const char* const no_constant = "node 'y' (Gemm) cannot be trained: its weights must be a float32";

INSTANTIATE_TEST_SUITE_P(
    TrainableNetwork, TrainableNetworkRefuses,
    ::testing::Values(
        Refusal{"UnknownOperator", one_layer("Tanh", {"image"}), "node 'y': operator Tanh"},
        Refusal{"TooFewInputs", one_layer("Conv", {"image"}), "node 'y': operator Conv"},
        Refusal{"ComputedWeights", one_layer("Gemm", {"flat", "flat"}, transposed), no_constant},
        Refusal{"WeightsOfAnotherType",
                changed(one_layer("Gemm", {"flat", "v", "b"}, transposed),
                        [](onnx::Model& model) {
                          model.initializers["v"].type = onnx::ElementType::int32;
                        }),
                no_constant},
        Refusal{"NotTransposed", one_layer("Gemm", {"flat", "v", "b"}), "only transB = 1"},
        Refusal{"SharedWeights",
                ModelBuilder(1, 2, 2)
                    .constant("w", {1, 1, 1, 1}, {1})
                    .node("Conv", {"x", "w"}, "one")
                    .node("Conv", {"one", "w"}, "y")
                    .build(),
                "it shares its weights with another node"},
        Refusal{"SharedBias",
                ModelBuilder(1, 2, 2)
                    .constant("w", {1, 1, 1, 1}, {1})
                    .constant("v", {1, 1, 1, 1}, {2})
                    .constant("b", {1}, {3})
                    .node("Conv", {"x", "w", "b"}, "one")
                    .node("Conv", {"one", "v", "b"}, "y")
                    .build(),
                "it shares its bias with another node"},
        Refusal{"SharedStatistics",
                changed(every_operator(),
                        [](onnx::Model& model) {
                          for (onnx::Node& node : model.nodes)
                            if (node.name == "alone") node.inputs[3] = "conv.norm.mean";
                        }),
                "it shares its numbers with another node"},
        Refusal{"ComputedStatistics",
                changed(every_operator(),
                        [](onnx::Model& model) { model.initializers.erase("alone.beta"); }),
                "node 'alone' (BatchNormalization) cannot be trained: its numbers must be"},
        Refusal{"TrainingMode",
                changed(every_operator(),
                        [](onnx::Model& model) {
                          for (onnx::Node& node : model.nodes)
                            if (node.name == "alone") node.attributes["training_mode"] = whole(1);
                        }),
                "node 'alone' (BatchNormalization) cannot be trained: training_mode"},
        Refusal{"IntegersWithAZeroPoint", with_integers(1), no_constant},
        Refusal{"NoImage",
                changed(conv_pool_dense(),
                        [](onnx::Model& model) {
                          model.inputs[0].shape = {-1, 16};
                        }),
                "one image input"},
        Refusal{"TwoOutputs",
                changed(conv_pool_dense(),
                        [](onnx::Model& model) { model.outputs.push_back(model.outputs[0]); }),
                "one output"},
        Refusal{"OutputFromNowhere",
                changed(conv_pool_dense(), [](onnx::Model& model) { model.outputs[0].name = "z"; }),
                "no node puts out 'z'"}),
    [](const auto& test) { return test.param.name; });

TEST(Operators, AreThoseThatAPlanKnowsOf) {
  std::vector<std::string> known;
  for (const auto& [name, inputs] : computed_operators())
    known.push_back(name);
  EXPECT_EQ(operator_names(), known);
}

}  // namespace
}  // namespace assay
