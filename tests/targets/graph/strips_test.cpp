// Strips are checked by running them: on a simulated arena, laid out by the memory plan and full of
// other bytes at first, with the interpreter's layers; every tensor and every logit against the
// network run as a whole.
#include "targets/graph/strips.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>

#include "targets/graph/lower.hpp"
#include "targets/graph/memory_plan.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/targets/graph/random_networks.hpp"
#include "tests/targets/graph/strip_ranges.hpp"

namespace assay {
namespace {

using Values = std::vector<std::int8_t>;

std::int64_t row_bytes(const ActivationTensor& tensor) {
  return tensor.bytes() / tensor.height;
}

/// A device that runs a network with a plan, byte for byte in one arena.
class Simulation {
 public:
  Simulation(const IntegerGraph& graph, const StripPlan& plan, std::vector<LayerMemory> needs)
      : graph_(graph),
        plan_(plan),
        shapes_(strip_shapes(graph, plan)),
        needs_(std::move(needs)),
        memory_(plan_memory(graph, needs_, &plan)),
        arena_(memory_.arena_bytes.count(), 0x55) {}

  Values run(const Values& input) {
    std::ranges::copy(input, at(memory_.tensor_offset[graph_.input]));
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      if (i == plan_.range.first) run_strips();
      if (!plan_.covers(i)) run_layer(i, whole_inputs(i), offset(graph_.layers[i].output));
    }
    const Values::iterator logits = at(offset(graph_.output));
    return {logits, logits + graph_.tensors[graph_.output].bytes()};
  }

  const MemoryPlan& memory() const { return memory_; }
  std::uint64_t rows_computed(std::size_t layer) const { return rows_computed_.at(layer); }

 private:
  Values::iterator at(std::int64_t offset) { return arena_.begin() + offset; }
  std::int64_t offset(int tensor) const { return memory_.tensor_offset[tensor]; }

  std::vector<std::int64_t> whole_inputs(std::size_t layer) const {
    std::vector<std::int64_t> offsets;
    for (const int input : graph_.layers[layer].inputs)
      offsets.push_back(offset(input));
    return offsets;
  }

  /// One kernel: overwrites its scratch, reads its inputs to the end, writes its output.
  void run_layer(std::size_t index, const std::vector<std::int64_t>& inputs, std::int64_t output) {
    const IntegerLayer& layer = shapes_.layers[index];
    std::vector<Values> values(shapes_.tensors.size());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      values[layer.inputs[i]].assign(at(inputs[i]),
                                     at(inputs[i] + shapes_.tensors[layer.inputs[i]].bytes()));
    run_reference_layer(shapes_, layer, values);
    const std::int64_t scratch = memory_.scratch_offset[index];
    std::fill_n(at(scratch), needs_[index].scratch.count(), std::int8_t(0x2a));
    std::ranges::copy(values[layer.output], at(output));
  }

  std::int64_t buffer(int tensor) const {
    return tensor == plan_.entry ? memory_.entry_rows_offset : offset(tensor);
  }

  /// Rows `first` .. `first + rows.rows` of a tensor, which lie from `made` on: those outside.
  void fill(const StripTensor& rows, int first, std::int64_t made) {
    const ActivationTensor& whole = graph_.tensors[rows.tensor];
    const std::int8_t value = rows.outside == OutsideRow::zero ? whole.zero_point : -128;
    for (int y = 0; y < rows.rows; ++y)
      if (first + y < 0 || first + y >= whole.height)
        std::fill_n(at(made + y * row_bytes(whole)), row_bytes(whole), value);
  }

  void run_strips() {
    for (int strip = -plan_.warm_up; strip < plan_.strips; ++strip) {
      for (const StripTensor& rows : plan_.tensors) {
        const ActivationTensor& whole = graph_.tensors[rows.tensor];
        const std::int64_t row = row_bytes(whole), from = buffer(rows.tensor);
        const std::int64_t made = from + rows.kept() * row;
        const int first = rows.lead + strip * rows.rows;
        if (rows.kept() > 0)
          std::memmove(&*at(from), &*at(from + rows.rows * row), rows.kept() * row);
        if (rows.tensor == plan_.entry)
          copy_entry(first, rows.rows, made);
        else
          run_in_strip(rows.tensor, plan_.makes_rows(rows, whole.height, strip), made);
        fill(rows, first, made);
      }
      const std::int64_t strip_bytes = plan_.range.rows * row_bytes(graph_.tensors[plan_.exit]);
      run_in_strip(plan_.exit, strip >= 0, offset(plan_.exit) + strip * strip_bytes);
    }
  }

  void copy_entry(int first, int count, std::int64_t to) {
    const ActivationTensor& whole = graph_.tensors[plan_.entry];
    for (int y = 0; y < count; ++y)
      if (first + y >= 0 && first + y < whole.height)
        std::copy_n(at(offset(plan_.entry) + (first + y) * row_bytes(whole)), row_bytes(whole),
                    at(to + y * row_bytes(whole)));
  }

  void run_in_strip(int tensor, bool runs, std::int64_t output) {
    const auto maker = std::ranges::find(graph_.layers, tensor, &IntegerLayer::output);
    const auto index = static_cast<std::size_t>(maker - graph_.layers.begin());
    if (!runs) return;
    std::vector<std::int64_t> inputs;
    for (const int input : maker->inputs)
      inputs.push_back(buffer(input) +
                       plan_.first_row_read(*maker, input) * row_bytes(graph_.tensors[input]));
    rows_computed_[index] += static_cast<std::uint64_t>(plan_.rows_made(*maker));
    run_layer(index, inputs, output);
  }

  const IntegerGraph& graph_;
  const StripPlan& plan_;
  IntegerGraph shapes_;
  std::vector<LayerMemory> needs_;
  MemoryPlan memory_;
  Values arena_;
  std::map<std::size_t, std::uint64_t> rows_computed_;
};

Values random_input(const IntegerGraph& graph, std::mt19937& random) {
  Values input(static_cast<std::size_t>(graph.tensors[graph.input].bytes()));
  for (auto& value : input)
    value = static_cast<std::int8_t>(random());
  return input;
}

/// Scratch, or in place where an operator reads element by element.
std::vector<LayerMemory> random_needs(const IntegerGraph& graph, std::mt19937& random) {
  std::vector<LayerMemory> needs;
  for (const IntegerLayer& layer : graph.layers) {
    const bool by_element = layer.op == IntegerOp::add || layer.op == IntegerOp::lookup;
    needs.push_back({Bytes(by_element ? 0 : random() % 100), by_element && random() % 2 == 0});
  }
  return needs;
}

TEST(Strips, ComputeTheSameLogits) {
  std::mt19937 random(21);
  std::size_t plans = 0, with_warm_up = 0, with_residuals = 0, over_the_entry = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    const auto graph = lower(test::random_stages(seed));
    ASSERT_TRUE(graph) << graph.error().message;
    const Values input = random_input(*graph, random);
    const Values expected = run_reference(*graph, input);
    for (const StripPlan& plan : test::all_strip_plans(*graph)) {
      SCOPED_TRACE(::testing::Message()
                   << "seed " << seed << ", layers " << plan.range.first << " to "
                   << plan.range.last << " in rows of " << plan.range.rows);
      Simulation device(*graph, plan, random_needs(*graph, random));
      ASSERT_EQ(device.run(input), expected);
      ++plans;
      with_warm_up += plan.warm_up > 0;
      const auto& offsets = device.memory().tensor_offset;
      over_the_entry +=
          offsets[plan.exit] <= offsets[plan.entry] &&
          offsets[plan.exit] + graph->tensors[plan.exit].bytes() > offsets[plan.entry];
      for (std::size_t i = plan.range.first; i <= plan.range.last; ++i)
        with_residuals += graph->layers[i].op == IntegerOp::add;
    }
  }
  EXPECT_GT(plans, 1000u);
  EXPECT_GT(with_warm_up, 300u);
  EXPECT_GT(with_residuals, 100u);
  EXPECT_GT(over_the_entry, 300u);
}

}  // namespace
}  // namespace assay
