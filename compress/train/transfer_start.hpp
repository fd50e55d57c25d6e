// A training that starts from a network that was trained elsewhere. Free of Torch. Pure functions,
// thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

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

}  // namespace assay
