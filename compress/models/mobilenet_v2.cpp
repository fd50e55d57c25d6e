// MobileNetV2 (Sandler et al., 2018, table 2): inverted residuals, which widen by 1x1, filter
// depthwise and narrow again without an activation. Small images skip the first two halvings.
#include <array>
#include <string>

#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {
namespace {

/// A row of the paper's table: `blocks` blocks, the first of which has the stride.
struct Stage {
  int expansion;
  int filters;
  int blocks;
  int stride;
};

constexpr std::array<Stage, 7> stages{{{1, 16, 1, 1},
                                       {6, 24, 2, 2},
                                       {6, 32, 3, 2},
                                       {6, 64, 4, 2},
                                       {6, 96, 3, 1},
                                       {6, 160, 3, 2},
                                       {6, 320, 1, 1}}};

void inverted_residual(SpecBuilder& net, const std::string& block, const Stage& stage, int stride) {
  const int input = net.current();
  const int channels = net.shape().channels;
  if (stage.expansion != 1) {
    net.conv(block + "expand", channels * stage.expansion, 1);
    net.apply(block + "relu1", LayerOp::relu6);
  }
  net.depthwise(block + "depthwise", 3, stride);
  net.apply(block + "relu2", LayerOp::relu6);
  net.conv(block + "project", stage.filters, 1);
  if (stride == 1 && channels == stage.filters)
    net.join(block + "add", LayerOp::add, input, net.current());
}

}  // namespace

void build_mobilenet_v2(const ModelChoice&, ModelSpec& spec) {
  const bool large = has_large_images(spec);
  SpecBuilder net(spec);
  net.conv("conv1", 32, 3, large ? 2 : 1);
  net.apply("relu1", LayerOp::relu6);
  int number = 0;
  for (std::size_t i = 0; i < stages.size(); ++i)
    for (int j = 0; j < stages[i].blocks; ++j) {
      const bool halves = j == 0 && stages[i].stride == 2 && (large || i != 1);
      inverted_residual(net, "block" + std::to_string(++number) + "_", stages[i], halves ? 2 : 1);
    }
  net.conv("conv2", 1280, 1);
  net.apply("relu2", LayerOp::relu6);
  net.average_head();
}

}  // namespace assay
