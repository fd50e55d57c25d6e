// ResNet-8: the image classification network of MLPerf Tiny (Banbury et al., 2021), a residual
// network (He et al., 2015) of three blocks with 16, 32 and 64 filters.
#include <string>

#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {
namespace {

/// relu(input + conv(relu(conv(input)))). The shortcut of a block that halves the image is a 1x1
/// convolution, here without batch normalization.
void residual_block(SpecBuilder& net, int index, int filters, int stride) {
  const std::string block = "block" + std::to_string(index) + "_";
  const int input = net.current();
  net.conv(block + "conv1", filters, 3, stride);
  net.apply(block + "relu1", LayerOp::relu);
  net.conv(block + "conv2", filters, 3);
  const int body = net.current();
  net.from(input);
  if (stride != 1) net.conv(block + "shortcut", filters, 1, stride, Offset::bias);
  net.join(block + "add", LayerOp::add, net.current(), body);
  net.apply(block + "relu2", LayerOp::relu);
}

}  // namespace

void build_resnet8(const ModelChoice&, ModelSpec& spec) {
  SpecBuilder net(spec, PaddingRule::same);
  net.conv("conv", 16, 3);
  net.apply("relu", LayerOp::relu);
  residual_block(net, 1, 16, 1);
  residual_block(net, 2, 32, 2);
  residual_block(net, 3, 64, 2);
  net.average_head();
}

}  // namespace assay
