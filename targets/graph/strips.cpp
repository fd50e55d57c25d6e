#include "targets/graph/strips.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>

#include "targets/runtime/unroll.hpp"

namespace assay {
namespace {

const ActivationTensor& tensor_of(const IntegerGraph& graph, int tensor) {
  return graph.tensors[static_cast<std::size_t>(tensor)];
}

std::int64_t row_bytes(const IntegerGraph& graph, int tensor) {
  const ActivationTensor& whole = tensor_of(graph, tensor);
  return whole.bytes() / whole.height;
}

/// Whether an output row needs but the input rows of its window.
bool works_by_rows(const IntegerGraph& graph, const IntegerLayer& layer) {
  if (layer.op == IntegerOp::dense) return false;
  return std::ranges::all_of(layer.inputs, [&](int input) {
    return tensor_of(graph, input).height == tensor_of(graph, layer.inputs.front()).height;
  });
}

bool reaches_outside(const IntegerGraph& graph, const IntegerLayer& layer) {
  const Window& w = layer.window;
  return kernels::reaches_outside(tensor_of(graph, layer.inputs.front()).height,
                                  tensor_of(graph, layer.output).height, w.kernel_height,
                                  w.stride_height, w.pad_top);
}

OutsideRow padding_of(const IntegerLayer& layer) {
  return layer.op == IntegerOp::max_pool ? OutsideRow::smallest : OutsideRow::zero;
}

/// Makes a plan, backwards from the rows of the last output.
class Planner {
 public:
  Planner(const IntegerGraph& graph, const StripRange& range) : graph_(graph) {
    plan_.range = range;
    plan_.entry = layer(range.first).inputs.front();
    plan_.exit = layer(range.last).output;
  }

  std::optional<StripPlan> run() {
    if (!divides() || !is_closed()) return std::nullopt;
    const std::size_t first = plan_.range.first;
    made_[plan_.exit] = {plan_.exit, plan_.range.rows, 0, plan_.range.rows, OutsideRow::zero};
    for (std::size_t i = plan_.range.last + 1; i-- > first;)
      for (const int input : layer(i).inputs)
        if (!ask(layer(i), input)) return std::nullopt;
    for (std::size_t i = first; i <= plan_.range.last; ++i)
      for (const int input : layer(i).inputs)
        hold(layer(i), input);
    plan_.tensors.push_back(made_.at(plan_.entry));
    for (std::size_t i = first; i < plan_.range.last; ++i)
      plan_.tensors.push_back(made_.at(layer(i).output));
    if (!is_aligned()) return std::nullopt;
    return plan_;
  }

 private:
  const IntegerLayer& layer(std::size_t index) const { return graph_.layers[index]; }

  /// Whether the layers read the entry and each other alone, and only the last is read elsewhere.
  bool is_closed() const {
    std::set<int> unread, made;  // outputs of the range but the last
    for (std::size_t i = plan_.range.first; i <= plan_.range.last; ++i) {
      if (!works_by_rows(graph_, layer(i))) return false;
      for (const int input : layer(i).inputs) {
        if (input != plan_.entry && !made.contains(input)) return false;
        unread.erase(input);
      }
      if (i == plan_.range.last) break;
      made.insert(layer(i).output);
      unread.insert(layer(i).output);
    }
    for (std::size_t i = plan_.range.last + 1; i < graph_.layers.size(); ++i)
      for (const int input : layer(i).inputs)
        if (made.contains(input)) return false;
    return unread.empty() && !made.contains(graph_.output);
  }

  bool divides() {
    const int height = tensor_of(graph_, plan_.exit).height;
    const int rows = plan_.range.rows;
    if (rows < 1 || rows >= height || height % rows != 0) return false;
    plan_.strips = height / rows;
    return true;
  }

  /// Notes the rows that a layer asks of an input; false where another reader wants otherwise.
  bool ask(const IntegerLayer& reader, int input) {
    const StripTensor& output = made_.at(reader.output);
    const Window& w = reader.window;
    const int rows = w.stride_height * output.rows;
    const int lead = w.stride_height * output.lead + w.kernel_height - w.stride_height - w.pad_top;
    const auto [place, fresh] = made_.emplace(input, StripTensor{input, rows, lead, 0, {}});
    StripTensor& asked = place->second;
    if (asked.rows != rows) return false;
    asked.lead = std::max(asked.lead, lead);
    if (!reaches_outside(graph_, reader)) return true;
    const auto [padding, first] = padding_.emplace(input, padding_of(reader));
    asked.outside = padding_of(reader);
    return padding->second == asked.outside;
  }

  /// Makes the buffer of an input, and the warm-up, large enough for a layer.
  void hold(const IntegerLayer& reader, int input) {
    StripTensor& rows = made_.at(input);
    const Window& w = reader.window;
    const int first_read = made_.at(reader.output).lead * w.stride_height - w.pad_top;
    rows.buffer_rows = std::max({rows.buffer_rows, rows.rows, rows.lead + rows.rows - first_read});
    const int before = rows.lead + w.pad_top;  // rows needed that strip 0 does not make
    plan_.warm_up = std::max(plan_.warm_up, (before + rows.rows - 1) / rows.rows);
  }

  /// Kernels read and write at whole words.
  bool is_aligned() const {
    const auto begins_word = [&](int tensor, int row) {
      return row * row_bytes(graph_, tensor) % 4 == 0;
    };
    if (!begins_word(plan_.exit, plan_.range.rows)) return false;
    for (const StripTensor& rows : plan_.tensors)
      if (rows.tensor != plan_.entry && !begins_word(rows.tensor, rows.kept())) return false;
    for (std::size_t i = plan_.range.first; i <= plan_.range.last; ++i)
      for (const int input : layer(i).inputs)
        if (!begins_word(input, plan_.first_row_read(layer(i), input))) return false;
    return true;
  }

  const IntegerGraph& graph_;
  StripPlan plan_;
  std::map<int, StripTensor> made_;
  std::map<int, OutsideRow> padding_;
};

/// A layer's own copy of a tensor, as high as a strip.
int add_strip(IntegerGraph& shapes, int tensor, int height) {
  ActivationTensor strip = tensor_of(shapes, tensor);
  strip.height = height;
  shapes.tensors.push_back(std::move(strip));
  return static_cast<int>(shapes.tensors.size()) - 1;
}

}  // namespace

const StripTensor& StripPlan::rows_of(int tensor) const {
  const auto found = std::ranges::find(tensors, tensor, &StripTensor::tensor);
  assert(found != tensors.end());
  return *found;
}

int StripPlan::rows_made(const IntegerLayer& layer) const {
  return layer.output == exit ? range.rows : rows_of(layer.output).rows;
}

int StripPlan::first_row_read(const IntegerLayer& layer, int input) const {
  const StripTensor& rows = rows_of(input);
  const int lead = layer.output == exit ? 0 : rows_of(layer.output).lead;
  const int in_buffer = rows.lead + rows.rows - rows.buffer_rows;
  return lead * layer.window.stride_height - layer.window.pad_top - in_buffer;
}

bool StripPlan::makes_rows(const StripTensor& rows, int height, int strip) const {
  const int first = rows.lead + strip * rows.rows;
  return first < height && first + rows.rows > 0;
}

std::optional<StripPlan> plan_strips(const IntegerGraph& graph, const StripRange& range) {
  if (range.first > range.last || range.last >= graph.layers.size()) return std::nullopt;
  return Planner(graph, range).run();
}

IntegerGraph strip_shapes(const IntegerGraph& graph, const StripPlan& plan) {
  IntegerGraph shapes = graph;
  for (std::size_t i = plan.range.first; i <= plan.range.last; ++i) {
    IntegerLayer& layer = shapes.layers[i];
    const int rows = plan.rows_made(graph.layers[i]);
    Window& w = layer.window;
    for (int& input : layer.inputs)
      input = add_strip(shapes, input, (rows - 1) * w.stride_height + w.kernel_height);
    layer.output = add_strip(shapes, layer.output, rows);
    w.pad_top = w.pad_bottom = 0;
  }
  return shapes;
}

StripCost cost_of(const IntegerGraph& graph, const StripPlan& plan) {
  StripCost cost;
  for (const StripTensor& rows : plan.tensors) {
    const int height = tensor_of(graph, rows.tensor).height;
    const int steps = plan.strips + plan.warm_up;
    const int moved = rows.kept() + (rows.tensor == plan.entry ? rows.rows : 0);
    cost.copied += Bytes(static_cast<std::uint64_t>(steps * moved * row_bytes(graph, rows.tensor)));
    if (rows.tensor == plan.entry) continue;
    int runs = 0;
    for (int strip = -plan.warm_up; strip < plan.strips; ++strip)
      runs += plan.makes_rows(rows, height, strip);
    const auto maker = std::ranges::find(graph.layers, rows.tensor, &IntegerLayer::output);
    const std::int64_t extra_rows = std::int64_t{runs} * rows.rows - height;
    const auto macs = static_cast<std::int64_t>(maker->macs.count());
    // Rows that nobody reads are not computed at all: less work than nominal counts as none.
    cost.extra +=
        Macs(static_cast<std::uint64_t>(std::max<std::int64_t>(extra_rows, 0) * macs / height));
  }
  return cost;
}

bool exit_follows_entry(const IntegerGraph& graph, const StripPlan& plan) {
  const StripTensor& rows = plan.rows_of(plan.entry);
  const int height = tensor_of(graph, plan.entry).height;
  for (int strip = 0; strip < plan.strips; ++strip) {
    const int copied = std::clamp(rows.lead + (strip + 1) * rows.rows, 0, height);
    const std::int64_t written =
        std::int64_t{strip + 1} * plan.range.rows * row_bytes(graph, plan.exit);
    const bool more_to_copy =
        strip + 1 < plan.strips && copied < height;  // later strips read the entry from here on
    if (more_to_copy && written > copied * row_bytes(graph, plan.entry)) return false;
  }
  return true;
}

}  // namespace assay
