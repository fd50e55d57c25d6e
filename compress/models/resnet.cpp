// ResNet-18 and ResNet-50 (He et al., 2015, table 1). As in torchvision, a bottleneck halves the
// image in its 3x3 convolution, which the paper does in the 1x1 before it.
#include <array>
#include <string>

#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {
namespace {

using Body = void (*)(SpecBuilder& net, const std::string& block, int filters, int stride);

void basic_body(SpecBuilder& net, const std::string& block, int filters, int stride) {
  net.conv(block + "conv1", filters, 3, stride);
  net.apply(block + "relu1", LayerOp::relu);
  net.conv(block + "conv2", filters, 3);
}

void bottleneck_body(SpecBuilder& net, const std::string& block, int filters, int stride) {
  net.conv(block + "conv1", filters, 1);
  net.apply(block + "relu1", LayerOp::relu);
  net.conv(block + "conv2", filters, 3, stride);
  net.apply(block + "relu2", LayerOp::relu);
  net.conv(block + "conv3", 4 * filters, 1);
}

/// relu(shortcut(input) + body(input)); the shortcut is a projection where shapes change.
void residual_block(SpecBuilder& net, const std::string& block, Body body, int filters,
                    int stride) {
  const int input = net.current();
  const int in_channels = net.shape().channels;
  body(net, block, filters, stride);
  const int end = net.current();
  const int out_channels = net.shape().channels;
  net.from(input);
  if (stride != 1 || in_channels != out_channels)
    net.conv(block + "shortcut", out_channels, 1, stride);
  net.join(block + "add", LayerOp::add, net.current(), end);
  net.apply(block + "relu", LayerOp::relu);
}

void build(ModelSpec& spec, Body body, const std::array<int, 4>& blocks) {
  SpecBuilder net(spec);
  const bool large = has_large_images(spec);
  net.conv("conv", 64, large ? 7 : 3, large ? 2 : 1);
  net.apply("relu", LayerOp::relu);
  if (large) net.max_pool("max_pool", 3, 2);
  for (int stage = 0; stage < 4; ++stage)
    for (int i = 0; i < blocks[std::size_t(stage)]; ++i)
      residual_block(net,
                     "stage" + std::to_string(stage + 1) + "_block" + std::to_string(i + 1) + "_",
                     body, 64 << stage, i == 0 && stage > 0 ? 2 : 1);
  net.average_head();
}

}  // namespace

void build_resnet18(const ModelChoice&, ModelSpec& spec) {
  build(spec, basic_body, {2, 2, 2, 2});
}

void build_resnet50(const ModelChoice&, ModelSpec& spec) {
  build(spec, bottleneck_body, {3, 4, 6, 3});
}

}  // namespace assay
