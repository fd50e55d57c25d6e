// The table of kernels: which device function can run a layer on a core, how its weights are laid
// out, and what scratch memory it needs. Adding a kernel is one header in targets/runtime/ and one
// row here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/part.hpp"
#include "harness/core/units.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/pack/weight_form.hpp"
#include "targets/runtime/scratch.hpp"

namespace assay {

/// A constant array of a generated layer: `alignas(4) static constexpr <c_type> <name>[] = {...}`.
struct ConstantArray {
  std::string name;    ///< member the kernel reads: "weights", "bias", "multiplier", "pairs"
  std::string c_type;  ///< "std::int8_t", "std::int32_t", "std::uint32_t", "float"
  int element_bytes = 1;
  std::vector<std::int64_t> values;  ///< of floats: their bits
};

/// A member of floats.
ConstantArray float_array(std::string name, std::span<const float> values);
float float_of_bits(std::int64_t bits);

/// A layer together with the tensors it reads and writes: what a kernel row looks at. The graph
/// must outlive it.
struct LayerView {
  LayerView(const IntegerGraph& graph, const IntegerLayer& its_layer)
      : layer(its_layer),
        input(graph.tensors[static_cast<std::size_t>(layer.inputs.front())]),
        output(graph.tensors[static_cast<std::size_t>(layer.output)]),
        tensors(graph.tensors) {}

  const IntegerLayer& layer;
  const ActivationTensor& input;  ///< of the first input
  const ActivationTensor& output;
  const std::vector<ActivationTensor>& tensors;  ///< all of the network
  const ActivationTensor& input_at(std::size_t i) const {
    return tensors[static_cast<std::size_t>(layer.inputs[i])];
  }
};

/// The layers that a kernel takes, as far as their shapes decide it.
struct ShapeLimit {
  bool (*holds)(const LayerView& layer) = nullptr;  ///< nullptr: of every layer
  std::string_view words = {};                      ///< "layers of four channels or more"
};

// What most rows say of layers.
inline bool any_layer(const LayerView&) {
  return true;
}
inline bool never(const LayerView&) {
  return false;
}
inline Bytes no_scratch(const LayerView&) {
  return Bytes(0);
}

/// One kernel. The device function is
/// `template <class L> void function(const T* in, T* out, void* scratch)` (add, multiply: two
/// inputs; concat: an array of them), where T is the tensors' element and L is the generated layer
/// struct; see targets/runtime/layer.hpp.
struct KernelRow {
  std::string_view name;  ///< "conv.dsp": shown by --explain and bench
  IntegerOp op;
  Element element = Element::int8;     ///< of the tensors
  WeightForm form = WeightForm::int8;  ///< none where the operator has no weights
  std::string_view header;             ///< "targets/runtime/dsp/conv.hpp"
  std::string_view function;           ///< "assay::kernels::conv_dsp"
  bool (*runs_on)(const Core& core);
  bool (*accepts)(const LayerView& layer) = any_layer;
  std::vector<ConstantArray> (*pack)(const LayerView& layer);
  Bytes (*scratch)(const LayerView& layer) = no_scratch;
  /// Output may be written over the (first) input, at its address or below: outputs are written in
  /// ascending order and nothing still to be read lies before them. Kernels with scratch: false.
  bool (*in_place)(const LayerView& layer) = never;
  /// The host can run this kernel too (portable C++).
  bool portable = false;
  /// Trades scratch for instructions: on a microcontroller never the first choice for a layer,
  /// taken by name or where a trial shows it cheaper and the RAM has room.
  bool large_scratch = false;
  /// Scratch that it takes at most. A layer for which it would need more goes to the next row.
  Bytes most_scratch{kernels::scratch_limit};
  /// What of accepts() is no matter of weights, for whoever asks why a layer was declined.
  ShapeLimit shapes = {};
};

/// Whether the row is one for the layer, wherever it runs, and keeps to the scratch it may take.
bool takes(const KernelRow& row, const LayerView& layer);

/// Every kernel, reference kernels last within an operator, faster ones first.
std::span<const KernelRow> kernel_table();

/// Whether the operator has weights of its own.
bool has_weights(IntegerOp op);

/// How the model has the layer's weights: where it computes in float, the only form it has.
WeightForm stored_form(const LayerView& layer);

/// The first row of that form that runs on the core and accepts the layer, with no large scratch on
/// a microcontroller; nullptr without one.
const KernelRow* find_kernel(const LayerView& layer, const Core& core, WeightForm form);
/// The row of that name; nullptr unless it runs on the core and accepts the layer.
const KernelRow* find_kernel_named(const LayerView& layer, const Core& core, std::string_view name);
/// The first row with the layer's stored form (or none) that runs on the core and accepts the
/// layer; the reference row always does.
const KernelRow& choose_kernel(const LayerView& layer, const Core& core);
/// Every row that a choice for the layer is made from: the one of choose_kernel first, then the
/// others that run on the core and accept the layer. The portable reference row is among them only
/// where it is the first: it is the oracle, slow, and spares next to no flash.
std::vector<const KernelRow*> candidate_kernels(const LayerView& layer, const Core& core);
/// The row of that name, or nullptr.
const KernelRow* kernel_named(std::string_view name);
/// The reference row of an operator over tensors of int8, or of int16.
const KernelRow& reference_kernel(IntegerOp op, Element element = Element::int8);
/// The reference row of a layer.
const KernelRow& reference_kernel(const LayerView& layer);

}  // namespace assay
