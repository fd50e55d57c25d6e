#include "targets/graph/strip_estimate.hpp"

#include <algorithm>

namespace assay {
namespace {

/// Instructions of the kernels of a core.
struct Costs {
  double convolution = 1;    ///< per multiply-accumulate
  double depthwise = 1.7;    ///< likewise
  double pooled = 2.6;       ///< per element of a window
  double element = 7;        ///< of the output, by other operators
  double call = 100;         ///< of a kernel and of the copies around it
  double copied_word = 2.4;  ///< four bytes
  double copied_byte = 5;    ///< where rows do not begin at whole words
  double filled_byte = 1;    ///< of rows outside
  double expanded = 1.3;     ///< per byte of input rows that windows of two strips share
  double filter = 25;        ///< per channel of a depthwise layer, once a call
  double unpacked = 0;       ///< per weight of a convolution, once for a tile of outputs
  int tile_bytes = 4096;     ///< of inputs, as words
  /// Depthwise kernels make two rows of outputs at a time: rows of work that one without a second
  /// one is beyond itself, alone or behind others.
  double single_row = 0.5, odd_row = 1.8;
  bool pairs_3x3_alone = true;  ///< they do so for windows of 3x3 with a stride of 1
  bool patches_of_rows = true;  ///< convolutions may make fours of outputs row by row
};

// The kernels in targets/runtime/dsp/ are the default.
Costs costs_of(const Core& core, Element element) {
  const bool small = core.architecture == "armv6-m";
  if (element == Element::float32) {
    const double product = core.fpu ? 6 : 150;
    return {.convolution = product,
            .depthwise = product,
            .pooled = product / 2,
            .element = product,
            .filled_byte = 0.5,
            .expanded = 0,
            .filter = 0,
            .single_row = 0,
            .odd_row = 0};
  }
  if (element == Element::int16)
    return {.convolution = small ? 9.0 : 2,
            .depthwise = small ? 12.0 : 6,
            .pooled = 8,
            .element = 20,
            .expanded = 0,
            .filter = 0,
            .single_row = 0,
            .odd_row = 0};
  if (!small) return {};
  return {.convolution = 2.4,
          .depthwise = 4.8,
          .pooled = 8,
          .element = 12,
          .call = 150,
          .copied_word = 3.2,
          .copied_byte = 6,
          .filled_byte = 1.5,
          .expanded = 12,
          .filter = 90,
          .unpacked = 3,
          .single_row = 1,
          .odd_row = 1,
          .pairs_3x3_alone = false,
          .patches_of_rows = false};
}

const ActivationTensor& tensor_of(const IntegerGraph& graph, int tensor) {
  return graph.tensors[static_cast<std::size_t>(tensor)];
}

/// A layer, and how it runs: once as a whole, or in strips.
class LayerCost {
 public:
  LayerCost(const IntegerGraph& graph, const IntegerLayer& layer, const Costs& costs)
      : layer_(layer),
        window_(layer.window),
        input_(tensor_of(graph, layer.inputs.front())),
        output_(tensor_of(graph, layer.output)),
        costs_(costs) {}

  /// Beyond the whole layer, in `runs` strips of `rows` rows.
  double beyond_whole(int runs, int rows) const {
    const int more_rows = std::max(runs * rows - output_.height, 0);
    return more_rows * row() + std::max(runs * unfilled(rows) - unfilled(output_.height), 0.0) +
           (runs - 1) * fixed() + runs * costs_.call;
  }

 private:
  bool is(IntegerOp op) const { return layer_.op == op; }
  int window_size() const { return window_.kernel_height * window_.kernel_width; }
  double macs_of_row() const { return static_cast<double>(layer_.macs.count()) / output_.height; }

  /// A row of outputs.
  double row() const {
    if (is(IntegerOp::convolution)) return costs_.convolution * macs_of_row();
    if (is(IntegerOp::depthwise)) return costs_.depthwise * macs_of_row();
    const double outputs = output_.width * output_.channels;
    const bool pools = is(IntegerOp::max_pool) || is(IntegerOp::average_pool);
    return outputs * (pools ? costs_.pooled * window_size() : costs_.element);
  }

  /// What a kernel does for outputs that are not there, and for each tile of those that are.
  double unfilled(int rows) const {
    if (is(IntegerOp::depthwise)) return unpaired_rows(rows) * row();
    if (!is(IntegerOp::convolution)) return 0;
    if (sweeps_over_pairs() && input_.channels == 1) return unpaired_rows(rows) * row();
    const int outputs = rows * output_.width;
    const int missing = by_patches() ? 0 : (outputs + 3) / 4 * 4 - outputs;
    return missing * row() / output_.width + tiles(outputs) * costs_.unpacked * filter_weights();
  }

  double unpaired_rows(int rows) const {
    if (rows % 2 == 0 || (costs_.pairs_3x3_alone && !sweeps_over_pairs())) return 0;
    return rows == 1 ? costs_.single_row : costs_.odd_row;
  }
  /// By targets/runtime/dsp/row_sweep.hpp, of a single channel too.
  bool sweeps_over_pairs() const {
    return costs_.pairs_3x3_alone && window_.kernel_height == 3 && window_.kernel_width == 3 &&
           window_.stride_height == 1;
  }

  /// Convolutions make four outputs at a time: of each row where that makes few of them twice
  /// (targets/runtime/dsp/patch_layout.hpp), or of all rows together.
  bool by_patches() const {
    const int in_fours = (output_.width + 3) / 4 * 4;
    return costs_.patches_of_rows && window_size() > 1 && 4 * in_fours <= 5 * output_.width;
  }

  double filter_weights() const {
    return static_cast<double>(layer_.macs.count()) / (output_.height * output_.width);
  }
  /// In which targets/runtime/m0/conv.hpp cuts the outputs: it holds the inputs as words.
  int tiles(int outputs) const {
    const int four_outputs = 16 * ((window_size() * input_.channels + 1) / 2 * 2);
    const int tile = 4 * std::max(1, costs_.tile_bytes / four_outputs);
    return (outputs + tile - 1) / tile;
  }

  /// Of every call, whatever its rows.
  double fixed() const {
    const double shared =
        std::max(window_.kernel_height - window_.stride_height, 0) * input_.width * input_.channels;
    if (is(IntegerOp::depthwise)) return costs_.expanded * shared + costs_.filter * input_.channels;
    return is(IntegerOp::convolution) && by_patches() ? costs_.expanded * shared : 0;
  }

  const IntegerLayer& layer_;
  const Window& window_;
  const ActivationTensor& input_;
  const ActivationTensor& output_;
  const Costs& costs_;
};

/// Rows that strips make of a tensor, or fill, before its first or behind its last.
int rows_outside(const StripPlan& plan, const StripTensor& rows, int height) {
  int outside = 0;
  for (int strip = -plan.warm_up; strip < plan.strips; ++strip) {
    const int first = rows.lead + strip * rows.rows;
    const int inside = std::min(first + rows.rows, height) - std::max(first, 0);
    outside += rows.rows - std::max(inside, 0);
  }
  return outside;
}

/// Copies of the entry's rows, of those kept, and fills of those outside.
double movement(const IntegerGraph& graph, const StripPlan& plan, const Costs& costs) {
  double sum = 0;
  for (const StripTensor& rows : plan.tensors) {
    const ActivationTensor& whole = tensor_of(graph, rows.tensor);
    const double row_bytes = static_cast<double>(whole.bytes()) / whole.height;
    const bool in_words = whole.bytes() / whole.height * rows.rows % 4 == 0;
    const int moved = rows.kept() + (rows.tensor == plan.entry ? rows.rows : 0);
    sum += (plan.strips + plan.warm_up) * moved * row_bytes *
           (in_words ? costs.copied_word / 4 : costs.copied_byte);
    sum += rows_outside(plan, rows, whole.height) * row_bytes * costs.filled_byte;
  }
  return sum;
}

/// How often the layer runs.
int runs_of(const IntegerGraph& graph, const StripPlan& plan, const IntegerLayer& layer) {
  if (layer.output == plan.exit) return plan.strips;
  const StripTensor& rows = plan.rows_of(layer.output);
  int runs = 0;
  for (int strip = -plan.warm_up; strip < plan.strips; ++strip)
    runs += plan.makes_rows(rows, tensor_of(graph, layer.output).height, strip);
  return runs;
}

}  // namespace

double instructions_of(const IntegerGraph& graph, const StripPlan& plan, const Core& core) {
  const Costs costs = costs_of(core, tensor_of(graph, plan.entry).element);
  double sum = movement(graph, plan, costs);
  for (std::size_t i = plan.range.first; i <= plan.range.last; ++i) {
    const IntegerLayer& layer = graph.layers[i];
    sum += LayerCost(graph, layer, costs)
               .beyond_whole(runs_of(graph, plan, layer), plan.rows_made(layer));
  }
  return sum;
}

}  // namespace assay
