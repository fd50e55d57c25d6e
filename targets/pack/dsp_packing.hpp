// Packing for cores with SMLAD that more than one file needs: what dsp_kernels.cpp takes from
// dsp_conv_packing.cpp. Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "targets/pack/kernel.hpp"

namespace assay {

/// Weights of one output channel in packed order; zero where a window is filled up.
using PackedFilter = std::vector<std::int64_t>;

/// Whether 256 * (acc + b') of the channel stays in 32 bits for every input.
bool sums_in_one_part(const PackedFilter& filter, std::int64_t bias);

// conv.dsp: formats of targets/runtime/dsp/conv.hpp.
std::vector<ConstantArray> pack_conv_dsp(const LayerView& layer);
Bytes conv_dsp_scratch(const LayerView& layer);

// conv_wide.dsp and dense_wide.dsp: formats of targets/runtime/dsp/wide.hpp.
std::vector<ConstantArray> pack_wide_dsp(const LayerView& layer);

// conv3x3_winograd.dsp: formats of targets/runtime/dsp/winograd.hpp.
bool accepts_winograd(const LayerView& layer);
std::vector<ConstantArray> pack_winograd(const LayerView& layer);
Bytes winograd_scratch(const LayerView& layer);

}  // namespace assay
