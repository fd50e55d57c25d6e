// A network read from a model computes, keeps and writes what the model says. The interpreter,
// which has its own walk over the graph, is the reference.
#include "compress/train/trainable_network.hpp"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "compress/models/initial_network.hpp"
#include "compress/onnx/fold_batch_norm.hpp"
#include "compress/train/interpreter.hpp"
#include "tests/compress/train/trainable_models.hpp"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_models::add_norm;
using testing_models::conv_pool_dense;
using testing_models::every_operator;
using testing_models::Integers;
using testing_models::ModelBuilder;
using testing_models::numbers;
using testing_models::parallel_branches;
using testing_models::with_integers;

at::Tensor images(std::int64_t count, const onnx::Model& model, unsigned start = 1) {
  Integers shape = model.inputs[0].shape;
  shape[0] = count;
  at::Tensor tensor = at::empty(shape);
  const auto values = numbers(std::size_t(tensor.numel()), start);
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor;
}

TrainableNetwork network_of(const onnx::Model& model) {
  auto network = TrainableNetwork::create(model, "m.onnx");
  if (!network) throw std::runtime_error(network.error().message);
  return std::move(*network);
}

/// Its batch statistics differ from their initial values.
TrainableNetwork warmed_up(const onnx::Model& model) {
  const c10::NoGradGuard no_gradients;
  TrainableNetwork network = network_of(model);
  for (unsigned step = 0; step < 5; ++step)
    EXPECT_TRUE(network.forward(images(16, model, 100 * step) * 2 + 0.5, true));
  return network;
}

at::Tensor outputs(TrainableNetwork& network, const at::Tensor& input,
                   std::span<TrainingMethod* const> methods = {}) {
  const c10::NoGradGuard no_gradients;
  const auto output = network.forward(input, false, methods);
  EXPECT_TRUE(output) << output.error().message;
  return output ? output->contiguous() : at::Tensor();
}

void expect_interpreter_agrees(const onnx::Model& model, TrainableNetwork& network) {
  const auto interpreter = Interpreter::create(model, "reference");
  ASSERT_TRUE(interpreter) << interpreter.error().message;
  const at::Tensor input = images(7, model, 5);
  const auto expected = interpreter->run({input.data_ptr<float>(), std::size_t(input.numel())}, 7);
  ASSERT_TRUE(expected) << expected.error().message;
  const at::Tensor found = outputs(network, input);
  ASSERT_EQ(found.numel(), std::int64_t(expected->size()));
  // Other memory orders and folding reorder float32 sums of a few hundred terms.
  const double tolerance = 1e-4 * std::max(1.0F, found.abs().max().item<float>());
  for (std::size_t i = 0; i < expected->size(); ++i)
    EXPECT_NEAR(found.data_ptr<float>()[i], (*expected)[i], tolerance) << i;
}

onnx::Model conv5(const ModelChoice& choice) {
  const auto spec = build_model(choice, 1, 28, 28, 10);
  EXPECT_TRUE(spec);
  const auto model = initial_network(*spec, 1, {"none", {{0}, {1}}});
  EXPECT_TRUE(model);
  return *model;
}

TEST(TrainableNetwork, ComputesWhatTheInterpreterDoes) {
  for (const onnx::Model& model : {every_operator(), conv_pool_dense(), conv5({"conv5", 0, 0}),
                                   conv5({"conv5", 5, 10}), conv5({"conv5", 4, 50})}) {
    TrainableNetwork network = warmed_up(model);
    expect_interpreter_agrees(network.model(), network);
  }
}

TEST(TrainableNetwork, ComputesWhatTheFoldedModelDoes) {
  for (const onnx::Model& model :
       {every_operator(), conv5({"conv5", 0, 0}), conv5({"conv5", 4, 50})}) {
    TrainableNetwork network = warmed_up(model);
    const auto folded = onnx::fold_batch_norm(network.model());
    ASSERT_TRUE(folded) << folded.error().message;
    for (const onnx::Node& node : folded->nodes)
      EXPECT_NE(node.op_type, "BatchNormalization");
    expect_interpreter_agrees(*folded, network);
  }
}

TEST(TrainableNetwork, WarmingUpMovesTheStatisticsByTheirMomentum) {
  ModelBuilder builder(1, 1, 1);
  const onnx::Model model = add_norm(builder, "x", "y", 1).build();
  TrainableNetwork network = network_of(model);
  at::Tensor input = at::zeros({2, 1, 1, 1});
  input.data_ptr<float>()[1] = 4;
  ASSERT_TRUE(network.forward(input, true));
  // Batch mean 2 and unbiased variance 8: 0.9 * 0 + 0.1 * 2 and 0.9 * 1 + 0.1 * 8.
  const NamedTensors state = network.state();
  EXPECT_FLOAT_EQ(state.at("y.mean").item<float>(), 0.2F);
  EXPECT_FLOAT_EQ(state.at("y.variance").item<float>(), 1.7F);
  ASSERT_TRUE(network.forward(input, false));
  EXPECT_FLOAT_EQ(network.state().at("y.mean").item<float>(), 0.2F);
}

TEST(TrainableNetwork, ReturnsTheGraphsOutputAndNotTheLastNodes) {
  onnx::Model model = conv_pool_dense();
  onnx::Node unread = model.nodes[1];
  unread.name = "unread";
  unread.outputs = {"unread"};
  model.nodes.push_back(unread);
  TrainableNetwork network = network_of(model);
  expect_interpreter_agrees(conv_pool_dense(), network);
}

TEST(TrainableNetwork, AnUntouchedNetworkIsTheSameModel) {
  for (const onnx::Model& model : {every_operator(), conv_pool_dense(), conv5({"conv5", 0, 0})}) {
    const TrainableNetwork network = network_of(model);
    EXPECT_EQ(network.model(), model);
    EXPECT_EQ(onnx::serialize_model(network.model()), onnx::serialize_model(model));
  }
}

TEST(TrainableNetwork, AWarmedUpModelIsReadBackWithTheSameBits) {
  TrainableNetwork network = warmed_up(every_operator());
  const onnx::Model model = network.model();
  EXPECT_NE(model, every_operator());
  TrainableNetwork again = network_of(model);
  EXPECT_EQ(again.model(), model);
  const at::Tensor input = images(4, model);
  EXPECT_TRUE(outputs(network, input).equal(outputs(again, input)));
}

TEST(TrainableNetwork, ReadsIntegersBehindDequantizeLinear) {
  TrainableNetwork network = network_of(with_integers());
  ASSERT_EQ(network.layers().size(), 2U);
  EXPECT_FALSE(network.layers()[0].integers);
  const TrainableLayer& dense = network.layers()[1];
  ASSERT_TRUE(dense.integers);
  EXPECT_THAT(dense.integers->scales, ElementsAre(0.25F, 0.5F));
  ASSERT_EQ(dense.integers->values.size(), 16U);
  EXPECT_EQ(dense.integers->values[0], -60);
  EXPECT_EQ(dense.integers->values[15], 75);
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(dense.weight.data_ptr<float>()[i], (i < 8 ? 0.25F : 0.5F) * float(9 * i - 60)) << i;
  expect_interpreter_agrees(with_integers(), network);
  // Without a method that keeps integers the model is float again.
  const onnx::Model model = network.model();
  EXPECT_EQ(model.initializer("v")->type, onnx::ElementType::float32);
  EXPECT_THAT(model.initializers, Not(Contains(::testing::Key("q"))));
  EXPECT_EQ(model.nodes.size(), 5U);
  expect_interpreter_agrees(model, network);
}

/// Doubles every weight on the way, and keeps integers of layer 1.
class Doubler : public TrainingMethod {
 public:
  at::Tensor weight(std::size_t, const at::Tensor& weight) override { return weight * 2; }
  std::optional<IntegerWeights> final_integers(std::size_t layer) override {
    if (layer != 1) return std::nullopt;
    return integers;
  }
  at::Tensor activation(const std::string& name, const at::Tensor& value) override {
    seen.push_back(name);
    return value;
  }
  bool replaces(std::size_t layer) const override { return layer == replaced; }
  Json report() const override { return Json::object(); }
  std::string name() const override { return "double"; }

  std::optional<IntegerWeights> integers;
  std::vector<std::string> seen;
  std::size_t replaced = 99;
};

TEST(TrainableNetwork, WritesAMethodsIntegersAndReadsThemBack) {
  Doubler method;
  method.integers = IntegerWeights{{}, {0.5F, 0.125F}};
  for (int i = 0; i < 16; ++i)
    method.integers->values.push_back(std::int8_t(i * 17 - 128 + (i == 0)));
  TrainingMethod* const methods[] = {&method};
  const TrainableNetwork network = network_of(conv_pool_dense());
  const onnx::Model model = network.model(methods);
  EXPECT_THAT(model.initializers, Not(Contains(::testing::Key("v"))));
  ASSERT_TRUE(model.initializer("v.quantized"));
  EXPECT_EQ(model.initializer("v.quantized")->type, onnx::ElementType::int8);
  EXPECT_EQ(model.initializer("v.quantized")->shape, (Integers{2, 8}));
  EXPECT_THAT(model.initializer("v.scale")->as<float>(), ElementsAre(0.5F, 0.125F));
  EXPECT_THAT(model.initializer("v.zero_point")->as<std::int8_t>(), Each(0));

  const std::string bytes = onnx::serialize_model(model);
  const auto read = onnx::parse_model(std::as_bytes(std::span(bytes)), "m.onnx");
  ASSERT_TRUE(read) << read.error().message;
  TrainableNetwork again = network_of(*read);
  ASSERT_TRUE(again.layers()[1].integers);
  EXPECT_EQ(again.layers()[1].integers->values, method.integers->values);
  EXPECT_EQ(again.layers()[1].integers->scales, method.integers->scales);
  expect_interpreter_agrees(model, again);
  // A float weight goes through the method once.
  EXPECT_TRUE(again.layers()[0].weight.equal(network.layers()[0].weight * 2));
}

TEST(TrainableNetwork, MethodsActOnWeightsAndSeeEveryActivation) {
  Doubler method;
  TrainingMethod* const once[] = {&method};
  TrainingMethod* const twice[] = {&method, &method};
  TrainableNetwork network = network_of(conv_pool_dense());
  const at::Tensor input = images(3, network.model());
  // Doubled weights of both layers, biases as they were.
  onnx::Model model = network.model(once);
  TrainableNetwork doubled = network_of(model);
  EXPECT_TRUE(outputs(network, input, once).equal(outputs(doubled, input)));
  EXPECT_THAT(method.seen, ElementsAre("x", "conv", "relu", "pool", "flat", "y"));
  TrainableNetwork fourfold = network_of(network.model(twice));
  EXPECT_TRUE(outputs(network, input, twice).equal(outputs(fourfold, input)));
}

std::vector<const void*> identities(const std::vector<at::Tensor>& tensors) {
  std::vector<const void*> found;
  for (const at::Tensor& tensor : tensors)
    found.push_back(tensor.unsafeGetTensorImpl());
  return found;
}

TEST(TrainableNetwork, ParametersAreLeavesInTheOrderOfTheNodes) {
  Doubler method;
  TrainingMethod* const methods[] = {&method};
  TrainableNetwork network = network_of(every_operator());
  const auto& layers = network.layers();
  ASSERT_EQ(layers.size(), 4U);
  std::vector<std::string> names;
  for (const TrainableLayer& layer : layers)
    names.push_back(layer.name);
  EXPECT_THAT(names, ElementsAre("conv", "dw", "fc", "y"));
  EXPECT_FALSE(layers[0].bias.defined());
  const auto all = network.parameters(methods);
  // conv and its norm, dw and its bias, the lone norm, fc and its norm, the head and its bias.
  ASSERT_EQ(all.size(), 3U + 2U + 2U + 3U + 2U);
  for (const at::Tensor& tensor : all)
    EXPECT_TRUE(tensor.is_leaf() && tensor.requires_grad());
  EXPECT_EQ(all[0].unsafeGetTensorImpl(), layers[0].weight.unsafeGetTensorImpl());
  EXPECT_EQ(all[3].unsafeGetTensorImpl(), layers[1].weight.unsafeGetTensorImpl());
  EXPECT_EQ(all[4].unsafeGetTensorImpl(), layers[1].bias.unsafeGetTensorImpl());
  EXPECT_EQ(identities(network.parameters()), identities(all));

  method.replaced = 1;  // its weights leave, its bias stays
  auto expected = identities(all);
  expected.erase(expected.begin() + 3);
  EXPECT_EQ(identities(network.parameters(methods)), expected);
}

/// One step down the gradient of the outputs' square.
void step(TrainableNetwork& network, const at::Tensor& input) {
  const auto output = network.forward(input, true);
  ASSERT_TRUE(output) << output.error().message;
  output->square().sum().backward();
  const c10::NoGradGuard no_gradients;
  for (at::Tensor& parameter : network.parameters()) {
    ASSERT_TRUE(parameter.grad().defined());
    parameter.sub_(parameter.grad() * 0.01);
    parameter.mutable_grad().reset();
  }
}

TEST(TrainableNetwork, FreezeKeepsTheBitsOfALayerAndItsNormalization) {
  const onnx::Model before = every_operator();
  TrainableNetwork network = network_of(before);
  network.freeze(0);
  network.freeze(3);
  for (unsigned i = 0; i < 3; ++i)
    step(network, images(8, before, i));
  const onnx::Model after = network.model();
  for (const auto& [name, tensor] : before.initializers) {
    const bool kept = name.starts_with("conv.") || name.starts_with("head.") || name == "step" ||
                      name == "zero" || name == "low" || name == "high" || name == "shape";
    EXPECT_EQ(after.initializer(name)->data == tensor.data, kept) << name;
  }
  for (const std::size_t layer : {0, 3})
    EXPECT_THAT(identities(network.parameters()),
                Not(Contains(network.layers()[layer].weight.unsafeGetTensorImpl())));
}

/// The constants that three training steps leave as they are.
std::vector<std::string> kept_by_training(TrainableNetwork& network, const onnx::Model& before) {
  for (unsigned i = 0; i < 3; ++i)
    step(network, images(8, before, i));
  const onnx::Model after = network.model();
  std::vector<std::string> kept;
  for (const auto& [name, tensor] : before.initializers)
    if (after.initializer(name)->data == tensor.data) kept.push_back(name);
  return kept;
}

// Whatever the order of the nodes: a norm is frozen when all layers that it normalizes are.
TEST(TrainableNetwork, FreezeFollowsTheEdgesOfParallelBranches) {
  const std::vector<std::string> a = {"a.norm.beta", "a.norm.gamma", "a.norm.mean",
                                      "a.norm.variance", "a.weight"};
  const onnx::Model before = parallel_branches();
  TrainableNetwork one = network_of(before);
  one.freeze(0);
  EXPECT_EQ(kept_by_training(one, before), a);

  TrainableNetwork branch = network_of(before);
  branch.freeze(2);  // "c", of whose sum with "d" the last norm is
  EXPECT_THAT(kept_by_training(branch, before), Not(Contains("sum.norm.gamma")));
  TrainableNetwork both = network_of(before);
  both.freeze(2);
  both.freeze(3);
  EXPECT_THAT(kept_by_training(both, before), Contains("sum.norm.gamma"));

  TrainableNetwork head = network_of(before);
  head.freeze_all_but(4);
  EXPECT_EQ(kept_by_training(head, before).size(), before.initializers.size() - 1);
}

TEST(TrainableNetwork, StateHoldsEverythingThatTrainingMoves) {
  const onnx::Model before = every_operator();
  TrainableNetwork network = network_of(before);
  for (unsigned i = 0; i < 2; ++i)
    step(network, images(8, before, i));
  TrainableNetwork other = network_of(before);
  const auto leaves = identities(other.parameters());
  other.restore(network.state());
  EXPECT_EQ(other.model(), network.model());
  EXPECT_EQ(identities(other.parameters()), leaves);  // what an optimizer holds stays valid
}

TEST(TrainableNetwork, FillsTapsWithActivations) {
  TrainableNetwork network = network_of(conv_pool_dense());
  NamedTensors taps{{"relu", {}}, {"x", {}}, {"nowhere", {}}};
  const at::Tensor input = images(3, network.model());
  const auto output = network.forward(input, false, {}, &taps);
  ASSERT_TRUE(output);
  EXPECT_EQ(taps.size(), 3U);
  EXPECT_TRUE(taps["x"].equal(input));
  EXPECT_FALSE(taps["nowhere"].defined());
  const auto interpreter = Interpreter::create(conv_pool_dense(), "reference");
  ASSERT_TRUE(interpreter);
  const at::Tensor relu = taps["relu"].contiguous();
  bool seen = false;
  const auto reference =
      interpreter->run({input.data_ptr<float>(), std::size_t(input.numel())}, 3,
                       [&](const std::string& name, std::span<const float> values, int) {
                         if (name != "relu") return;
                         seen = true;
                         ASSERT_EQ(std::int64_t(values.size()), relu.numel());
                         for (std::size_t i = 0; i < values.size(); ++i)
                           EXPECT_NEAR(values[i], relu.data_ptr<float>()[i], 1e-5) << i;
                       });
  EXPECT_TRUE(reference && seen);
}

TEST(TrainableNetwork, NamesOutputsAndTheNodesThereAre) {
  const TrainableNetwork network = network_of(conv5({"conv5", 4, 50}));
  EXPECT_EQ(network.input_name(), "input");
  EXPECT_EQ(network.output_of("relu1").value_or(""), "relu1.output");
  const auto unknown = network.output_of("relu99");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(unknown.error().message, HasSubstr("m.onnx has no layer \"relu99\"; it has conv1"));
}

TEST(TrainableNetwork, SaysWhichNodeDoesNotFitTheInput) {
  TrainableNetwork network = network_of(conv_pool_dense());
  const auto output = network.forward(at::zeros({1, 3, 4, 4}), false);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(output.error().message, HasSubstr("m.onnx: node 'conv' (Conv)"));
}

}  // namespace
}  // namespace assay
