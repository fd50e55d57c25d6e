// Which tensors of a model share their channels, as shrink_filters sees it. Pure functions,
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"

namespace assay {

/// A constant and the axis along which its entries belong to channels.
struct ChannelAxis {
  std::string tensor;
  std::size_t axis = 0;
  std::int64_t width = 1;  ///< consecutive entries of each channel: pixels after a Flatten
};

/// Channels that stand or fall together: those a layer makes, in everything they run through.
struct ChannelGroup {
  std::int64_t channels = 0;
  std::optional<std::string> kept_because;  ///< no channel may be removed
  std::vector<ChannelAxis> constants;       ///< all that have entries of these channels
  std::vector<std::size_t> depthwise;       ///< nodes whose attribute `group` is the channel count
  std::vector<bool> needed;                 ///< channels that are not 0 where a layer reads them
};

struct ChannelPlan {
  std::vector<ChannelGroup> groups;
  std::vector<std::optional<std::size_t>> group_of_node;  ///< of the output of each Conv and Gemm
};

/// Errors: bad_input naming a node whose weights do not fit its input.
Result<ChannelPlan> plan_channels(const onnx::Model& model);

}  // namespace assay
