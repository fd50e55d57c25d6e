// MobileNetV1 (Howard et al., 2017) at a quarter of its width, as MLPerf Tiny's visual wake words
// run it on 96 x 96 images: 13 depthwise-separable blocks, ReLU in place of ReLU6.
#include <array>
#include <string>

#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {
namespace {

struct Block {
  int filters;
  int stride;
};

constexpr std::array<Block, 13> blocks{{{16, 1},
                                        {32, 2},
                                        {32, 1},
                                        {64, 2},
                                        {64, 1},
                                        {128, 2},
                                        {128, 1},
                                        {128, 1},
                                        {128, 1},
                                        {128, 1},
                                        {128, 1},
                                        {256, 2},
                                        {256, 1}}};

}  // namespace

void build_mobilenet_v1_025(const ModelChoice&, ModelSpec& spec) {
  SpecBuilder net(spec, PaddingRule::same);
  net.conv("conv", 8, 3, 2);
  net.apply("relu", LayerOp::relu);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string block = "block" + std::to_string(i + 1) + "_";
    net.depthwise(block + "depthwise", 3, blocks[i].stride);
    net.apply(block + "relu1", LayerOp::relu);
    net.conv(block + "pointwise", blocks[i].filters, 1);
    net.apply(block + "relu2", LayerOp::relu);
  }
  net.average_head();
}

}  // namespace assay
