#include "targets/graph/sliding_window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "targets/graph/qdq.hpp"

namespace assay::lowering {
namespace {

/// One of the two directions.
struct Axis {
  std::int64_t size = 0;  // of the input
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t begin = 0;  // padding
  std::int64_t end = 0;
  std::int64_t slack() const { return size + begin + end - kernel; }
  std::int64_t output() const { return slack() / stride + 1; }
};

/// SAME_UPPER and SAME_LOWER: ceil(size / stride) outputs, the odd padding at the end or the start.
void pad_same(Axis& axis, bool upper) {
  const std::int64_t outputs = (axis.size + axis.stride - 1) / axis.stride;
  const std::int64_t padding =
      std::max<std::int64_t>(0, (outputs - 1) * axis.stride + axis.kernel - axis.size);
  axis.begin = upper ? padding / 2 : padding - padding / 2;
  axis.end = padding - axis.begin;
}

Status check(const onnx::Node& node, const Axis& axis) {
  constexpr std::int64_t largest = 1 << 14;
  if (axis.kernel < 1 || axis.stride < 1 || axis.begin < 0 || axis.end < 0 ||
      axis.kernel > largest || axis.stride > largest)
    return refuse(node, "window, strides and pads must be positive and below 16384");
  if (axis.begin >= axis.kernel || axis.end >= axis.kernel)
    return refuse(node, "padding must be smaller than the window");
  if (axis.slack() < 0)
    return refuse(node, fmt::format("its window of {} is larger than the padded input of {}",
                                    axis.kernel, axis.size + axis.begin + axis.end));
  if (node.integer("ceil_mode", 0) != 0 && axis.slack() % axis.stride != 0)
    return refuse(node, "ceil_mode = 1 is not supported where it adds an output");
  return {};
}

}  // namespace

Result<PlacedWindow> place_window(const onnx::Node& node, std::vector<std::int64_t> kernel,
                                  const ActivationTensor& input) {
  kernel = node.integers("kernel_shape", kernel);
  const auto strides = node.integers("strides", {1, 1});
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  const auto dilations = node.integers("dilations", {1, 1});
  if (kernel.size() != 2 || strides.size() != 2 || pads.size() != 4)
    return refuse(node, "only two-dimensional windows are supported");
  if (std::any_of(dilations.begin(), dilations.end(), [](auto d) { return d != 1; }))
    return refuse(node, "dilations other than 1 are not supported");
  const std::string automatic = node.text("auto_pad", "NOTSET");
  std::array<Axis, 2> axes;
  for (int i = 0; i < 2; ++i) {
    axes[i] = {i == 0 ? input.height : input.width, kernel[i], strides[i], pads[i], pads[2 + i]};
    if (axes[i].stride < 1) return refuse(node, "strides must be positive");
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER")
      pad_same(axes[i], automatic == "SAME_UPPER");
    else if (automatic == "VALID")
      axes[i].begin = axes[i].end = 0;
    else if (automatic != "NOTSET")
      return refuse(node, fmt::format("auto_pad \"{}\" is unknown", automatic));
    ASSAY_CHECK(check(node, axes[i]));
  }
  const auto& [vertical, horizontal] = axes;
  PlacedWindow placed;
  placed.window = {int(vertical.kernel),   int(horizontal.kernel), int(vertical.stride),
                   int(horizontal.stride), int(vertical.begin),    int(horizontal.begin),
                   int(vertical.end),      int(horizontal.end)};
  placed.out_height = static_cast<int>(vertical.output());
  placed.out_width = static_cast<int>(horizontal.output());
  return placed;
}

}  // namespace assay::lowering
