// A training that starts from a network that was trained elsewhere. Free of Torch. Pure functions,
// thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "compress/data/dataset.hpp"
#include "compress/onnx/model.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// An imported network, and what of it is trained.
struct TransferStart {
  enum class Head {
    replace,  ///< by a new one for the data set's classes
    keep,
  };
  enum class Freeze {
    none,
    all_but_head,
    named,  ///< the layers of `frozen`
  };
  std::filesystem::path model;  ///< model.onnx of an ImportStage
  Head head = Head::replace;
  Freeze freeze = Freeze::none;
  std::vector<std::string> frozen;  ///< of Freeze::named only, at least one
};

/// {"head": "replace", "freeze": "all-but-head" or ["conv1", "conv2"]}, without the path.
Json to_json(const TransferStart& start);
/// Problems go to the object's JsonErrors under the field's name.
TransferStart read_transfer_start(JsonObject& object);

/// The layers to freeze, as positions in `layers`, the names of the network's layers with weights:
/// those of `start`, or all but the head. Errors: bad_input naming an unknown layer and the known
/// ones, when no layer is left to train, and as find_head. `source` names the network.
Result<std::vector<std::size_t>> layers_to_freeze(const TransferStart& start,
                                                  const onnx::Model& model,
                                                  const std::vector<std::string>& layers,
                                                  const std::string& source);

/// bad_input unless what a network puts out for one image, of shape `outputs`, is one number a
/// class or target of the data set.
Status check_outputs(const std::vector<std::int64_t>& outputs, const DatasetInfo& data,
                     const std::string& source);

}  // namespace assay
