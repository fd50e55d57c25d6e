// Packing that the rows of all kernels for AArch64 share; the format is described in
// targets/runtime/neon/layout.hpp. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "targets/pack/kernel.hpp"
#include "targets/runtime/neon/layout.hpp"

namespace assay {

/// The window of a convolution; of a dense layer, all its inputs.
kernels::neon::WindowLayout neon_window(const LayerView& view);

/// The weights of a convolution or dense layer, [block of channels][step][channel][16], filled up
/// with zeros to whole blocks of `steps` steps.
std::vector<std::int8_t> neon_filters(const LayerView& view, int steps);

/// The weights of a depthwise layer, [kernel position][channel], filled up with zeros to whole
/// vectors of channels.
std::vector<std::int8_t> neon_depthwise_filters(const LayerView& view);

/// b' and m, filled up with zeros to a multiple of `block` channels.
std::vector<ConstantArray> pack_neon_requantization(const LayerView& view, int block);

/// Scratch of the windows of so many output pixels (ConvScratch of targets/runtime/neon/conv.hpp).
Bytes neon_windows_scratch(const LayerView& view, int pixels);

}  // namespace assay
