// ONNX's attributes of a sliding window. Inner part of lowering. Pure; thread-safe.
#pragma once

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay::lowering {

/// A window and the height and width of what it produces.
struct PlacedWindow {
  Window window;
  int out_height = 0;
  int out_width = 0;
};

/// Reads kernel_shape (or takes `kernel`, a convolution's own), strides, pads and auto_pad of a
/// Conv or pool over an input of the given size. Errors: bad_input for dilation, a window that is
/// not two-dimensional or larger than the padded input, padding as large as the window, and
/// ceil_mode where it matters.
Result<PlacedWindow> place_window(const onnx::Node& node, std::vector<std::int64_t> kernel,
                                  const ActivationTensor& input);

}  // namespace assay::lowering
