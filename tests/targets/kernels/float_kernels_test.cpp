// Every row of the kernel table over float32 tensors against the interpreter, bit for bit, on
// emulated cores with an FPU and without one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "targets/graph/reference_run.hpp"
#include "targets/pack/deployment.hpp"
#include "tests/targets/graph/float_form.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

/// Whether a layer of awkward_layers has a shape of its own; others differ in their integers alone.
bool has_own_shape(const NamedGraph& one) {
  return one.name.find(" weight") == std::string::npos && !one.name.ends_with("large bias");
}

/// The layers in float32, two thirds of them with weights of another form as well; every function.
std::vector<NamedGraph> float_layers() {
  std::vector<NamedGraph> layers;
  int shapes = 0;
  for (const NamedGraph& one : awkward_layers()) {
    if (!has_own_shape(one)) continue;
    layers.push_back({one.name + " float32", in_float(one.graph, FloatForm::float32)});
    const FloatForm other = float_forms[shapes++ % std::size(float_forms)];
    if (has_weights(one.graph.layers[0].op) && other != FloatForm::float32)
      layers.push_back({fmt::format("{} form {}", one.name, static_cast<int>(other)),
                        in_float(one.graph, other)});
  }
  for (int kind = 0; kind <= static_cast<int>(ElementFunction::Kind::elu); ++kind) {
    const IntegerGraph one = single_layer_graph({IntegerOp::lookup, 5, 7, 9, 9, {}}, 1);
    layers.push_back({fmt::format("function {}", kind), in_float(one, FloatForm::float32)});
    layers.back().graph.layers[0].real.function.kind = static_cast<ElementFunction::Kind>(kind);
  }
  return layers;
}

/// Every row on every shape that the machine has room for, in place too where the row allows it.
std::vector<KernelCase> cases_for(const KernelCore& core) {
  std::vector<KernelCase> cases;
  for (const NamedGraph& one : float_layers()) {
    const LayerView view = view_of(one.graph);
    const auto needed = static_cast<std::uint64_t>(view.input.bytes() + view.output.bytes());
    if (Bytes(needed) > Bytes(core.ram.count() * 3 / 4)) continue;
    for (const KernelRow& row : kernel_table()) {
      if (!takes(row, view) || !row.runs_on(core_of(core))) continue;
      const Bytes constants = deploy_layer(view, row).constant_bytes;
      if (constants > Bytes(core.flash.count() * 3 / 4)) continue;
      const std::string name = fmt::format("{} {}", row.name, one.name);
      cases.push_back({name, one.graph, &row, false});
      if (row.in_place(view)) cases.push_back({name + " in place", one.graph, &row, true});
    }
  }
  return cases;
}

class FloatKernelsOn : public ::testing::TestWithParam<KernelCore> {};

TEST_P(FloatKernelsOn, AgreeWithTheInterpreterBitForBit) {
  const std::vector<KernelCase> cases = cases_for(GetParam());
  EXPECT_GT(cases.size(), 250u);
  const auto outcomes = run_on_device(cases, GetParam(), "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < cases.size(); ++i)
    for (std::size_t f = 0; f < std::size(input_fills); ++f) {
      const auto input = input_bytes(input_fills[f], cases[i].graph.tensors[0]);
      const KernelOutcome& outcome = (*outcomes)[i][f];
      EXPECT_EQ(run_reference(cases[i].graph, input), outcome.output)
          << cases[i].name << ", input fill " << f;
      EXPECT_TRUE(outcome.guards_intact) << cases[i].name << ", input fill " << f;
    }
}

/// Instructions per multiply-accumulate on a Cortex-M4, a little above what was counted: four times
/// load, multiply and add for a load of the input and a loop's two instructions, and what
/// converting a weight takes.
TEST(FloatInstructions, StayWithinTheirBounds) {
  const SingleLayer conv{IntegerOp::convolution, 10, 10, 16, 16, {3, 3, 1, 1, 1, 1, 1, 1}};
  const SingleLayer dense{IntegerOp::dense, 1, 1, 256, 16, {}};
  const SingleLayer depthwise{IntegerOp::depthwise, 10, 10, 16, 16, {3, 3, 1, 1, 1, 1, 1, 1}};
  const struct {
    const char* kernel;
    SingleLayer shape;
    FloatForm form;
    double bound;
  } rows[] = {{"conv.float32", conv, FloatForm::float32, 5.2},
              {"conv.float16", conv, FloatForm::float16, 7.6},
              {"conv.dynamic", conv, FloatForm::dynamic, 7.6},
              {"dense.float32", dense, FloatForm::float32, 4.3},
              {"dense.float16", dense, FloatForm::float16, 6.6},
              {"dense.dynamic", dense, FloatForm::dynamic, 6.7},
              {"depthwise.float32", depthwise, FloatForm::float32, 9.0}};
  std::vector<KernelCase> cases;
  for (const auto& row : rows)
    cases.push_back({row.kernel, in_float(single_layer_graph(row.shape, 1), row.form),
                     kernel_named(row.kernel), false});
  const auto outcomes = run_on_device(cases, kernel_cores()[0], "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const double instructions = double((*outcomes)[i][0].instructions.count());
    const double per_mac = instructions / double(cases[i].graph.layers[0].macs.count());
    fmt::print("{}: {:.2f} instructions per MAC\n", rows[i].kernel, per_mac);
    EXPECT_LE(per_mac, rows[i].bound) << rows[i].kernel;
    EXPECT_GT(per_mac, 3) << rows[i].kernel;  // load, multiply, add: less is not computed
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, FloatKernelsOn, ::testing::ValuesIn(tried_cores()),
                         [](const auto& test) {
                           std::string name = test.param.name;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace assay::test
