// Depthwise weights of fewer bits than a byte, in the model's order, as kernels of Cortex-M and
// Armv6 cores read them (targets/runtime/depthwise_fields.hpp). Pure; thread-safe.
#pragma once

#include <vector>

#include "targets/pack/kernel.hpp"

namespace assay {

/// `packed` and, of codebooks, `codebook`. The form is one of ternary, int4 and the codebooks, and
/// one that the weights fit.
std::vector<ConstantArray> pack_depthwise_fields(const LayerView& layer, WeightForm form);

/// Whether the weights fit the form and are fewer bytes in it.
bool suits_depthwise_fields(const LayerView& layer, WeightForm form);

// Members of rows whose int8 kernel accepts the same layers, or has the same requantization.

template <WeightForm form, auto accepts_layer>
bool accepts_depthwise_fields(const LayerView& layer) {
  return accepts_layer(layer) && suits_depthwise_fields(layer, form);
}

template <WeightForm form, auto pack_parameters>
std::vector<ConstantArray> pack_depthwise_with(const LayerView& layer) {
  std::vector<ConstantArray> arrays = pack_depthwise_fields(layer, form);
  for (ConstantArray& array : pack_parameters(layer))
    arrays.push_back(std::move(array));
  return arrays;
}

}  // namespace assay
