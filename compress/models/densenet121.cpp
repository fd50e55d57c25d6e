// DenseNet-121 (Huang et al., 2017, table 1, growth rate 32): every layer's output joins the
// channels that all later layers of its block see. Activations come before convolutions, so a batch
// normalization that reads joined channels has no convolution to fold into.
#include <array>
#include <string>

#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {
namespace {

constexpr int growth = 32;

void dense_layer(SpecBuilder& net, const std::string& layer) {
  const int input = net.current();
  net.apply(layer + "norm", LayerOp::batch_norm);
  net.apply(layer + "relu1", LayerOp::relu);
  net.conv(layer + "conv1", 4 * growth, 1);
  net.apply(layer + "relu2", LayerOp::relu);
  net.conv(layer + "conv2", growth, 3, 1, Offset::none);
  net.join(layer + "concat", LayerOp::concat, input, net.current());
}

/// Halves channels and image between two blocks.
void transition(SpecBuilder& net, const std::string& name) {
  net.apply(name + "norm", LayerOp::batch_norm);
  net.apply(name + "relu", LayerOp::relu);
  net.conv(name + "conv", net.shape().channels / 2, 1, 1, Offset::none);
  net.average_pool(name + "pool", 2, 2);
}

}  // namespace

void build_densenet121(const ModelChoice&, ModelSpec& spec) {
  constexpr std::array<int, 4> blocks{6, 12, 24, 16};
  SpecBuilder net(spec);
  if (has_large_images(spec)) {
    net.conv("conv", 2 * growth, 7, 2);
    net.apply("relu", LayerOp::relu);
    net.max_pool("max_pool", 3, 2);
  } else {
    // The first layer normalizes its input anyway.
    net.conv("conv", 2 * growth, 3, 1, Offset::none);
  }
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    const std::string number = std::to_string(block + 1);
    if (block > 0) transition(net, "transition" + std::to_string(block) + "_");
    for (int i = 1; i <= blocks[block]; ++i)
      dense_layer(net, "block" + number + "_layer" + std::to_string(i) + "_");
  }
  net.apply("norm", LayerOp::batch_norm);
  net.apply("relu_last", LayerOp::relu);
  net.average_head();
}

}  // namespace assay
