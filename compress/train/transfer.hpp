// An imported network made ready for a training. Include only where Torch is wanted. Thread-safe.
#pragma once

#include "compress/data/dataset.hpp"
#include "compress/train/trainable_network.hpp"
#include "compress/train/transfer_start.hpp"

namespace assay {

/// The network that a training moves: `model` with the head and the frozen layers that `start` asks
/// for. A frozen layer and the batch normalizations behind it keep their bits; these normalize by
/// their stored statistics. With all but the head frozen that holds for every other layer. Errors:
/// bad_input naming an unknown layer to freeze and the known ones; nothing left to train; outputs
/// that are not the data set's; as replace_head and TrainableNetwork::create.
Result<TrainableNetwork> transfer(const onnx::Model& model, const TransferStart& start,
                                  const DatasetInfo& data, std::uint64_t seed);

}  // namespace assay
