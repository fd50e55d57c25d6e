#include "compress/train/transfer.hpp"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include "compress/models/head.hpp"

namespace assay {
namespace {

Status freeze(TrainableNetwork& network, const TransferStart& start, const onnx::Model& model) {
  std::vector<std::string> layers;
  for (const TrainableLayer& layer : network.layers())
    layers.push_back(layer.name);
  ASSAY_TRY(const auto frozen, layers_to_freeze(start, model, layers, start.model.string()));
  for (const std::size_t index : frozen)
    network.freeze(index);
  if (start.freeze != TransferStart::Freeze::all_but_head) return {};
  // The one that is not among them; with it, what stands in front of the first layer is frozen.
  std::size_t head = 0;
  while (head < frozen.size() && frozen[head] == head)
    ++head;
  network.freeze_all_but(head);
  return {};
}

Status check_outputs(TrainableNetwork& network, const DatasetInfo& data,
                     const std::string& source) {
  const c10::NoGradGuard no_gradients;
  ASSAY_TRY(const at::Tensor outputs,
            network.forward(at::zeros({1, data.channels, data.height, data.width}), false));
  return assay::check_outputs(outputs.sizes().slice(1).vec(), data, source);
}

}  // namespace

Result<TrainableNetwork> transfer(const onnx::Model& model, const TransferStart& start,
                                  const DatasetInfo& data, std::uint64_t seed) {
  const std::string source = start.model.string();
  onnx::Model first = model;
  if (start.head == TransferStart::Head::replace) {
    ASSAY_TRY(first, replace_head(model, data.outputs, seed, source));
  }
  ASSAY_TRY(TrainableNetwork network, TrainableNetwork::create(first, source));
  ASSAY_CHECK(check_outputs(network, data, source));
  ASSAY_CHECK(freeze(network, start, first));
  return network;
}

}  // namespace assay
