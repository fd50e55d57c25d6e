// The parts the kernel table is put together from, and the packing they share. One file per family
// of kernels defines its rows; kernel_table.cpp lists them.
#pragma once

#include <span>
#include <vector>

#include "targets/pack/kernel.hpp"

namespace assay {

/// Kernels for cores with SMLAD (Cortex-M4, M7).
std::span<const KernelRow> dsp_kernels();
/// The same cores: depthwise convolutions, and convolutions of a single channel.
std::span<const KernelRow> dsp_plane_kernels();
/// The same cores: kernels that skip zero weights.
std::span<const KernelRow> dsp_sparse_kernels();
/// The same cores, weights packed in fewer bits than a byte.
std::span<const KernelRow> dsp_packed_kernels();
/// Kernels for cores without DSP instructions (Cortex-M0).
std::span<const KernelRow> m0_kernels();
/// Kernels for cores without DSP instructions with weights in other forms than int8.
std::span<const KernelRow> m0_compressed_kernels();
/// Kernels for AArch64 cores.
std::span<const KernelRow> neon_kernels();
/// AArch64 cores, weights in other forms than int8.
std::span<const KernelRow> neon_compressed_kernels();
/// Kernels for Armv6 cores with Arm state's SMLAD (ARM1176).
std::span<const KernelRow> armv6_kernels();
/// The same cores, weights in other forms than int8.
std::span<const KernelRow> armv6_compressed_kernels();
/// Kernels over int16 tensors.
std::span<const KernelRow> int16_kernels();
/// The same of operators that have no weights.
std::span<const KernelRow> int16_weightless_kernels();
/// Kernels over float32 tensors, faster ones first; the last of an operator and form takes every
/// layer.
std::span<const KernelRow> float_kernels();
const KernelRow& float_reference_kernel(const LayerView& layer);
/// Kernels for every core, faster than the reference ones.
std::span<const KernelRow> portable_kernels();
/// One portable kernel per operator over int8 tensors, for every core and every layer.
std::span<const KernelRow> reference_kernels();

/// Scratch that kernels of cores that run Linux may take: a megabyte is little there.
inline constexpr Bytes linux_scratch{1 << 20};

// What families of rows run on.
inline bool has_dsp(const Core& core) {
  return core.dsp;
}
inline bool is_armv6m(const Core& core) {
  return core.architecture == "armv6-m";
}
inline bool has_neon(const Core& core) {
  return core.neon;
}
inline bool is_armv6(const Core& core) {
  return core.architecture == "armv6";
}

/// SMLAD, in Thumb or in Arm state.
inline bool has_smlad(const Core& core) {
  return has_dsp(core) || is_armv6(core);
}
inline bool lacks_smlad(const Core& core) {
  return !has_smlad(core);
}

// What rows say of cores and layers that make no difference to them.
inline bool any_core(const Core&) {
  return true;
}
/// Of `in_place`.
inline bool always(const LayerView&) {
  return true;
}
inline std::vector<ConstantArray> no_constants(const LayerView&) {
  return {};
}

/// Makes the rows of a table of kernels that differ in what their weights are: over int8 tensors,
/// never in place.
struct RowFamily {
  bool (*runs_on)(const Core& core);
  Bytes most_scratch{kernels::scratch_limit};
  ShapeLimit shapes = {};

  KernelRow operator()(std::string_view name, IntegerOp op, WeightForm form,
                       std::string_view header, std::string_view function,
                       decltype(KernelRow::accepts) accepts, decltype(KernelRow::pack) pack,
                       decltype(KernelRow::scratch) scratch) const;
};

/// b' and m as the members `bias` and `multiplier`, both std::int32_t: what most rows' pack needs
/// beside its weights.
std::vector<ConstantArray> pack_requantization(const LayerView& layer);
/// What kernels of a product read as `per_channel`: 1 where the second input is 1x1xC.
ConstantArray per_channel_array(const LayerView& layer);
/// What kernels of a concatenation read as `channels`: of each input.
ConstantArray channels_array(const LayerView& layer);
/// What the reference kernels of layers with weights read: those and the weights as they lie in the
/// layer.
std::vector<ConstantArray> pack_weights_and_requantization(const LayerView& layer);

/// Scratch of WindowRows (targets/runtime/window_rows.hpp) for windows whose rows are `row` bytes,
/// `pixels` of them at a time.
Bytes window_rows_scratch(const LayerView& layer, int row, int pixels);

/// A pixel of the padding, where windows reach over an edge: scratch of PixelWindow
/// (targets/runtime/pixel_window.hpp). None for a dense layer.
Bytes pixel_window_scratch(const LayerView& layer);

/// Scratch of PaddedRows (targets/runtime/padded_rows.hpp) for a depthwise layer.
Bytes padded_rows_scratch(const LayerView& layer);

/// Whether depthwise_plane.hpp (targets/runtime/dsp/) takes a layer: where a channel's copy serves
/// outputs and taps enough to be worth it, or there are too few channels for kernels that take four
/// at a time.
bool accepts_channel_plane(const LayerView& layer);
Bytes channel_plane_scratch(const LayerView& layer);

/// True when the kernel writes its output in ascending order and nothing it has yet to read lies
/// before what it writes: a pool without leading padding whose output rows are no longer than the
/// input's.
bool pool_may_run_in_place(const LayerView& layer);
/// Multiplier, b' and channels of every input.
std::vector<ConstantArray> pack_concat(const LayerView& layer);

}  // namespace assay
