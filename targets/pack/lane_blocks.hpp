// Dense layers' blocks of numbered weights for the NEON kernel, as
// targets/runtime/neon/lane_layout.hpp describes them. Pure; thread-safe.
#pragma once

#include <vector>

#include "targets/pack/kernel.hpp"

namespace assay {

/// Whether such blocks hold the layer's weights, in fewer bytes than int8.
bool accepts_lane_blocks(const LayerView& layer);

/// The members order, heads, distances, numbers and values, and b' and m in the order of the lanes.
std::vector<ConstantArray> pack_lane_blocks(const LayerView& layer);

}  // namespace assay
