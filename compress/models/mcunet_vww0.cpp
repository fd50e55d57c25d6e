// MCUNet's smallest network for visual wake words (Lin et al., 2020), on 64 x 64 images: inverted
// residuals as in MobileNetV2, with the widths and kernels that its search found. The layers are
// those that TinyEngine's generated code runs for mcunet-10fps_vww.
#include <array>
#include <string>

#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {
namespace {

/// Widens by 1x1, filters depthwise, narrows again.
struct Block {
  int kernel;  ///< of the depthwise convolution
  int widened;
  int filters;
  int stride;
};

constexpr std::array<Block, 13> blocks{{{5, 48, 16, 2},
                                        {3, 64, 16, 1},
                                        {3, 80, 24, 2},
                                        {3, 96, 24, 1},
                                        {3, 96, 24, 1},
                                        {3, 120, 40, 2},
                                        {3, 160, 40, 1},
                                        {7, 120, 40, 1},
                                        {3, 120, 48, 1},
                                        {3, 192, 48, 1},
                                        {7, 240, 96, 2},
                                        {5, 480, 96, 1},
                                        {7, 384, 160, 1}}};

void add_block(SpecBuilder& net, const std::string& name, const Block& block) {
  const int input = net.current();
  const bool shortcut = block.stride == 1 && net.shape().channels == block.filters;
  net.conv(name + "expand", block.widened, 1);
  net.apply(name + "relu1", LayerOp::relu6);
  net.depthwise(name + "depthwise", block.kernel, block.stride);
  net.apply(name + "relu2", LayerOp::relu6);
  net.conv(name + "project", block.filters, 1);
  if (shortcut) net.join(name + "add", LayerOp::add, input, net.current());
}

}  // namespace

void build_mcunet_vww0(const ModelChoice&, ModelSpec& spec) {
  SpecBuilder net(spec);
  net.conv("conv", 16, 3, 2);
  net.apply("relu", LayerOp::relu6);
  net.depthwise("depthwise", 3, 1);
  net.apply("relu1", LayerOp::relu6);
  net.conv("project", 8, 1);
  for (std::size_t i = 0; i < blocks.size(); ++i)
    add_block(net, "block" + std::to_string(i + 1) + "_", blocks[i]);
  net.average_head();
}

}  // namespace assay
