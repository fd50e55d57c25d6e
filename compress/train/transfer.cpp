#include "compress/train/transfer.hpp"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compress/models/head.hpp"

namespace assay {
namespace {

Result<std::size_t> index_of(const TrainableNetwork& network, const std::string& name,
                             const std::string& source) {
  const auto& layers = network.layers();
  const auto found = std::ranges::find(layers, name, &TrainableLayer::name);
  if (found != layers.end()) return std::size_t(found - layers.begin());
  std::vector<std::string> known;
  for (const TrainableLayer& layer : layers)
    known.push_back(layer.name);
  return fail(ErrorKind::bad_input, fmt::format("{} has no layer \"{}\" to freeze; it has {}",
                                                source, name, fmt::join(known, ", ")));
}

Status freeze(TrainableNetwork& network, const TransferStart& start, const onnx::Model& model) {
  const std::string source = start.model.string();
  if (start.freeze == TransferStart::Freeze::all_but_head) {
    ASSAY_TRY(const std::string head, find_head(model, source));
    ASSAY_TRY(const std::size_t index, index_of(network, head, source));
    network.freeze_all_but(index);
  }
  for (const std::string& name : start.frozen) {
    ASSAY_TRY(const std::size_t index, index_of(network, name, source));
    network.freeze(index);
  }
  if (!network.parameters().empty()) return {};
  return fail(ErrorKind::bad_input,
              fmt::format("{}: with all of its layers frozen nothing is left to train", source));
}

/// What the network puts out for an image must be one logit a class.
Status check_outputs(TrainableNetwork& network, const DatasetInfo& data,
                     const std::string& source) {
  const c10::NoGradGuard no_gradients;
  ASSAY_TRY(const at::Tensor outputs,
            network.forward(at::zeros({1, data.channels, data.height, data.width}), false));
  if (outputs.dim() == 2 && outputs.size(1) == data.outputs) return {};
  return fail(ErrorKind::bad_input,
              fmt::format("{} puts out [{}] for an image, {} needs [1, {}]; replace the head",
                          source, fmt::join(outputs.sizes().vec(), ", "), data.name, data.outputs));
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
