#include "compress/train/select_layers.hpp"

#include <cassert>

namespace assay {

Result<std::vector<std::size_t>> select_layers(const TrainableNetwork& network,
                                               const LayerPolicy& policy) {
  // Both list the Conv and Gemm nodes in order: none that can be trained shares its weights.
  ASSAY_TRY(const auto layers, weighted_layers(network.original()));
  assert(layers.size() == network.layers().size());
  return select_layers(layers, policy);
}

}  // namespace assay
