// Packing that rows of kernels for Armv6-M share, whatever the form of their weights: what
// m0_compressed_kernels.cpp takes from m0_kernels.cpp. Pure; thread-safe.
#pragma once

#include "targets/pack/kernel.hpp"

namespace assay {

/// The member `channels`: b' and m of each output channel.
ConstantArray pack_m0_channels(const LayerView& layer);

/// A step between words of the plane is an offset of the instructions.
bool accepts_m0_depthwise(const LayerView& layer);

/// Of the plane of a depthwise convolution.
Bytes m0_depthwise_scratch(const LayerView& layer);

}  // namespace assay
