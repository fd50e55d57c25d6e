// SE-PreAct-ResNet-101: a pre-activation residual network (He et al., "Identity mappings in deep
// residual networks", 2016) whose blocks end in squeeze-and-excitation (Hu, Shen and Sun, 2018,
// reduction 16). Stride and reduction are where the CIFAR-10 implementations of that name have
// them.
#include <array>
#include <string>

#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {
namespace {

/// Scales every channel by a factor in (0, 1) that it computes from the means of all channels. Its
/// two dense layers are 1x1 convolutions of a 1 x 1 image here: the factors stay C x 1 x 1.
void squeeze_excite(SpecBuilder& net, const std::string& block) {
  const int image = net.current();
  const int channels = net.shape().channels;
  net.apply(block + "squeeze", LayerOp::global_average_pool);
  net.conv(block + "reduce", channels / 16, 1, 1, Offset::bias);
  net.apply(block + "reduce_relu", LayerOp::relu);
  net.conv(block + "expand", channels, 1, 1, Offset::bias);
  net.apply(block + "sigmoid", LayerOp::sigmoid);
  net.join(block + "excite", LayerOp::multiply, image, net.current());
}

/// shortcut + excite(body(relu(norm(input)))). Where shapes change, the shortcut is a projection of
/// the activated input.
void block(SpecBuilder& net, const std::string& name, int filters, int stride) {
  const int input = net.current();
  const bool projects = stride != 1 || net.shape().channels != 4 * filters;
  net.apply(name + "norm", LayerOp::batch_norm);
  net.apply(name + "relu1", LayerOp::relu);
  const int activated = net.current();
  net.conv(name + "conv1", filters, 1);
  net.apply(name + "relu2", LayerOp::relu);
  net.conv(name + "conv2", filters, 3, stride);
  net.apply(name + "relu3", LayerOp::relu);
  net.conv(name + "conv3", 4 * filters, 1, 1, Offset::none);
  squeeze_excite(net, name);
  const int end = net.current();
  net.from(input);
  if (projects) net.from(activated).conv(name + "shortcut", 4 * filters, 1, stride, Offset::none);
  net.join(name + "add", LayerOp::add, net.current(), end);
}

}  // namespace

void build_se_preact_resnet101(const ModelChoice&, ModelSpec& spec) {
  constexpr std::array<int, 4> blocks{3, 4, 23, 3};
  SpecBuilder net(spec);
  if (has_large_images(spec)) {
    net.conv("conv", 64, 7, 2);
    net.apply("relu", LayerOp::relu);
    net.max_pool("max_pool", 3, 2);
  } else {
    // The first block normalizes its input anyway.
    net.conv("conv", 64, 3, 1, Offset::none);
  }
  for (int stage = 0; stage < 4; ++stage)
    for (int i = 0; i < blocks[std::size_t(stage)]; ++i)
      block(net, "stage" + std::to_string(stage + 1) + "_block" + std::to_string(i + 1) + "_",
            64 << stage, i == 0 && stage > 0 ? 2 : 1);
  net.apply("norm", LayerOp::batch_norm);
  net.apply("relu_last", LayerOp::relu);
  net.average_head();
}

}  // namespace assay
