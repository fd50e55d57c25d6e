// Packing that rows of kernels for Armv6 cores share, whatever the form of their weights: what
// armv6_compressed_kernels.cpp takes from armv6_kernels.cpp. Pure; thread-safe.
#pragma once

#include "targets/pack/kernel.hpp"
#include "targets/runtime/armv6/layout.hpp"

namespace assay {

/// The window of a convolution; of a dense layer, all its inputs.
kernels::armv6::WindowLayout armv6_window(const LayerView& layer);

/// b' and m, filled up with zeros to a multiple of `block` channels.
std::vector<ConstantArray> pack_armv6_requantization(const LayerView& layer, int block);

/// Of what gathers the windows of a convolution.
Bytes armv6_windows_scratch(const LayerView& layer);

/// Of the inputs of a dense layer, widened.
Bytes armv6_dense_scratch(const LayerView& layer);

/// Four channels make a word.
bool accepts_armv6_depthwise(const LayerView& layer);

/// Of the band of a depthwise convolution.
Bytes armv6_depthwise_scratch(const LayerView& layer);

}  // namespace assay
