// Which layers of a network in training a method touches. Include only where Torch is wanted. Pure
// functions.
#pragma once

#include <vector>

#include "compress/methods/layer_policy.hpp"
#include "compress/train/trainable_network.hpp"

namespace assay {

/// Places among the network's layers, ascending. Errors: as weighted_layers and select_layers of
/// the model.
Result<std::vector<std::size_t>> select_layers(const TrainableNetwork& network,
                                               const LayerPolicy& policy);

}  // namespace assay
