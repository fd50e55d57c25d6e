// What packed weights cost: instructions counted by QEMU, exact and the same on every run, against
// the same kernel with int8 weights in the same run; bytes against a byte for each weight.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "targets/graph/reference_run.hpp"
#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

const Window pointwise;
const Window three{3, 3, 1, 1, 1, 1, 1, 1};
const SingleLayer conv1{IntegerOp::convolution, 8, 8, 64, 64, pointwise};
const SingleLayer conv3{IntegerOp::convolution, 16, 16, 16, 16, three};
const SingleLayer depthwise3{IntegerOp::depthwise, 8, 8, 64, 64, three};
const SingleLayer depthwise5{IntegerOp::depthwise, 8, 8, 64, 64, {5, 5, 1, 1, 2, 2, 2, 2}};
const SingleLayer dense{IntegerOp::dense, 1, 1, 256, 64, pointwise};

/// A packed form on a shape, and what it may cost of the int8 row named `against`.
struct Bar {
  std::string_view name;
  SingleLayer shape;
  WeightFill fill;
  WeightForm form;
  std::string_view against;
  double most_instructions;  ///< of the int8 row's
  double most_bytes;         ///< of a byte for each weight, with what decodes them
};

const Bar bars[] = {
    {"int4 1x1", conv1, WeightFill::int4, WeightForm::int4, "conv_tile.dsp", 1.03, 0.5},
    {"ternary 1x1", conv1, WeightFill::ternary, WeightForm::ternary, "conv_tile.dsp", 1.02, 0.25},
    {"16 values 1x1", conv1, WeightFill::clusters16, WeightForm::codebook16, "conv_tile.dsp", 1.04,
     0.51},
    {"64 values 1x1", conv1, WeightFill::clusters64, WeightForm::codebook256, "conv_tile.dsp", 1.22,
     0.77},
    {"int4 3x3", conv3, WeightFill::int4, WeightForm::int4, "conv_tile.dsp", 1.05, 0.5},
    {"ternary 3x3", conv3, WeightFill::ternary, WeightForm::ternary, "conv_tile.dsp", 1.03, 0.25},
    {"16 values 3x3", conv3, WeightFill::clusters16, WeightForm::codebook16, "conv_tile.dsp", 1.10,
     0.51},
    // Decoded weight by weight, for all outputs of a channel or a band of them.
    {"int4 depthwise", depthwise3, WeightFill::int4, WeightForm::int4, "depthwise_3x3.dsp", 1.12,
     0.5},
    {"ternary depthwise", depthwise3, WeightFill::ternary, WeightForm::ternary, "depthwise_3x3.dsp",
     1.12, 0.25},
    {"16 values depthwise", depthwise3, WeightFill::clusters16, WeightForm::codebook16,
     "depthwise_3x3.dsp", 1.12, 0.51},
    {"64 values depthwise 5x5", depthwise5, WeightFill::clusters64, WeightForm::codebook256,
     "depthwise.dsp", 1.12, 0.8},
    // A dense layer uses a weight once: decoding cannot be shared.
    {"int4 dense", dense, WeightFill::int4, WeightForm::int4, "dense.dsp", 1.31, 0.5},
    {"ternary dense", dense, WeightFill::ternary, WeightForm::ternary, "dense.dsp", 1.31, 0.25},
    {"16 values dense", dense, WeightFill::clusters16, WeightForm::codebook16, "dense.dsp", 2.0,
     0.51},
    {"64 values dense", dense, WeightFill::clusters64, WeightForm::codebook256, "dense.dsp", 3.86,
     0.77},
};

constexpr std::uint64_t most_scratch = 3584;

/// Bytes of weights with what decodes them: all constants but those of requantization, of which a
/// channel has two words.
double weight_bytes(const KernelRow& row, const LayerView& view) {
  double bytes = -8.0 * view.output.channels;
  for (const ConstantArray& array : row.pack(view))
    bytes += static_cast<double>(array.values.size()) * array.element_bytes;
  return bytes;
}

class PackedOn : public ::testing::TestWithParam<std::size_t> {};

TEST_P(PackedOn, CostHardlyMoreInstructionsThanInt8AndFewerBytes) {
  const KernelCore& core = kernel_cores()[GetParam()];
  std::vector<KernelCase> cases;
  for (const Bar& bar : bars) {
    const IntegerGraph graph = single_layer_graph(bar.shape, 7, bar.fill);
    const LayerView view = view_of(graph);
    const KernelRow* packed = find_kernel(view, core_of(core), bar.form);
    ASSERT_TRUE(packed) << bar.name;
    const KernelRow* int8 = find_kernel_named(view, core_of(core), bar.against);
    ASSERT_TRUE(int8 && int8->form == WeightForm::int8) << bar.against;
    cases.push_back({std::string(bar.name), graph, packed});
    cases.push_back({std::string(bar.name), graph, int8});
    EXPECT_LE(packed->scratch(view).count(), most_scratch) << bar.name;
    EXPECT_LE(weight_bytes(*packed, view),
              bar.most_bytes * static_cast<double>(graph.layers[0].weights.size()) + 16)
        << bar.name;
  }
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < std::size(bars); ++i) {
    const auto count = [&](std::size_t one) {
      return static_cast<double>((*outcomes)[one][0].instructions.count());
    };
    const double packed = count(2 * i), int8 = count(2 * i + 1);
    const auto macs = static_cast<double>(cases[2 * i].graph.layers[0].macs.count());
    fmt::print("{:10} {:16} {:20} {:.3f} instructions per MAC, {:.3f} of {}\n", core.name,
               bars[i].name, cases[2 * i].kernel->name, packed / macs, packed / int8,
               bars[i].against);
    EXPECT_LE(packed, bars[i].most_instructions * int8) << bars[i].name;
  }
}

/// Decoded int4 and ternary weights are 16 and 64 times too large. A b' that leaves 32 bits at that
/// scale is added after it; then the sums' signs decide whether outputs are below 100.
TEST_P(PackedOn, TakeBiasesThatDoNotBearTheirScale) {
  const KernelCore& core = kernel_cores()[GetParam()];
  std::vector<KernelCase> cases;
  for (const Bar& bar : bars) {
    SingleLayer shape = bar.shape;
    shape.height = shape.width = 5;
    IntegerGraph graph = single_layer_graph(shape, 9, bar.fill);
    Requantization& r = graph.layers[0].requantization;
    r.accumulator_shift = 13;
    r.output_shift = 8;
    r.multiplier.assign(r.multiplier.size(), 1);
    r.bias.assign(r.bias.size(), 100 << (8 + 13));
    cases.push_back(
        {std::string(bar.name), graph, find_kernel(view_of(graph), core_of(core), bar.form)});
    ASSERT_TRUE(cases.back().kernel) << bar.name;
  }
  const auto outcomes = run_on_device(cases, core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const IntegerGraph& graph = cases[i].graph;
    const auto input = input_values(InputFill::random, graph.tensors[0].size());
    const auto expected = run_reference(graph, input);
    EXPECT_EQ((*outcomes)[i][0].output, expected) << cases[i].name;
    EXPECT_GT(std::count(expected.begin(), expected.end(), 99), 0) << cases[i].name;
    EXPECT_GT(std::count(expected.begin(), expected.end(), 100), 0) << cases[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, PackedOn, ::testing::Values(0, 1, 3), [](const auto& test) {
  std::string name = kernel_cores()[test.param].name;
  std::erase(name, '-');
  return name;
});

/// The weights decide which forms a layer may take.
TEST(PackedForms, AreReadFromTheWeights) {
  using Fill = WeightFill;
  using Form = WeightForm;
  const Core core = core_of(kernel_cores()[0]);
  const Form forms[] = {Form::int4, Form::ternary, Form::codebook16, Form::codebook256};
  struct Row {
    Fill fill;
    std::vector<Form> taken;
  };
  const Row rows[] = {
      {Fill::random, {}},
      {Fill::int4, {Form::int4, Form::codebook16}},
      {Fill::ternary, {Form::int4, Form::ternary, Form::codebook16}},
      {Fill::clusters16, {Form::codebook16}},
      {Fill::clusters64, {Form::codebook256}},
      {Fill::lowest, {Form::codebook16}},
  };
  for (const SingleLayer& shape : {conv1, depthwise3, dense})
    for (const Row& row : rows) {
      const IntegerGraph graph = single_layer_graph(shape, 3, row.fill);
      std::vector<Form> taken;
      for (const Form form : forms)
        if (find_kernel(view_of(graph), core, form)) taken.push_back(form);
      EXPECT_EQ(taken, row.taken) << to_string(shape.op) << " " << static_cast<int>(row.fill);
    }
}

/// One weight out of range, or one value too many, takes a form away.
TEST(PackedForms, AreLostByASingleWeight) {
  struct Row {
    WeightFill fill;
    WeightForm form;
    std::int8_t weight;
    bool taken;
  };
  const Row rows[] = {
      {WeightFill::int4, WeightForm::int4, 7, true},
      {WeightFill::int4, WeightForm::int4, -7, true},
      {WeightFill::int4, WeightForm::int4, 8, false},
      {WeightFill::int4, WeightForm::int4, -8, false},
      {WeightFill::ternary, WeightForm::ternary, 2, false},
      {WeightFill::ternary, WeightForm::ternary, -2, false},
      {WeightFill::clusters16, WeightForm::codebook16, 120, true},
      {WeightFill::clusters16, WeightForm::codebook16, 0, false},
      {WeightFill::clusters16, WeightForm::codebook256, 120, false},
      {WeightFill::clusters16, WeightForm::codebook256, 0, true},
  };
  const Core core = core_of(kernel_cores()[0]);
  for (const SingleLayer& shape : {conv1, depthwise3, dense})
    for (const Row& row : rows) {
      IntegerGraph graph = single_layer_graph(shape, 5, row.fill);
      graph.layers[0].weights[77] = row.weight;
      EXPECT_EQ(find_kernel(view_of(graph), core, row.form) != nullptr, row.taken)
          << to_string(shape.op) << " " << to_string(row.form) << " " << int{row.weight};
    }
}

/// Up to 128 values fit seven bits; 129 would need a byte, which is what they have.
TEST(PackedForms, NeedFewerBytesThanInt8) {
  const Core core = core_of(kernel_cores()[0]);
  for (const auto& [values, taken] : {std::pair{128, true}, std::pair{129, false}}) {
    IntegerGraph graph = single_layer_graph(conv1, 5);
    auto& weights = graph.layers[0].weights;
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = static_cast<std::int8_t>(static_cast<int>(i) % values - 64);
    EXPECT_EQ(find_kernel(view_of(graph), core, WeightForm::codebook256) != nullptr, taken);
  }
  // Few weights do not repay the 64 values they are chosen from, nor a pair's second channel.
  const IntegerGraph few =
      single_layer_graph({IntegerOp::dense, 1, 1, 32, 4, pointwise}, 5, WeightFill::clusters64);
  EXPECT_FALSE(find_kernel(view_of(few), core, WeightForm::codebook256));
  const IntegerGraph one =
      single_layer_graph({IntegerOp::convolution, 8, 8, 64, 1, pointwise}, 5, WeightFill::int4);
  EXPECT_FALSE(find_kernel(view_of(one), core, WeightForm::int4));
}

}  // namespace
}  // namespace assay::test
