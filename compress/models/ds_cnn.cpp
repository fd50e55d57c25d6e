// DS-CNN: keyword spotting on 49 frames of 10 MFCC coefficients (Zhang, Suda, Lai and Chandra,
// "Hello Edge", 2017), in MLPerf Tiny's form: a 10x4 convolution, then four depthwise-separable
// blocks.
#include <algorithm>
#include <string>

#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {

void build_ds_cnn(const ModelChoice& choice, ModelSpec& spec) {
  const int filters = scaled_filters(64, choice.fewer_filters_pct);
  SpecBuilder net(spec, PaddingRule::same);
  net.conv("conv", filters, {10, 4}, 2);
  net.apply("relu", LayerOp::relu);
  for (int i = 1; i <= 4; ++i) {
    const std::string block = "block" + std::to_string(i) + "_";
    net.depthwise(block + "depthwise", 3);
    net.apply(block + "relu1", LayerOp::relu);
    net.conv(block + "pointwise", filters, 1);
    net.apply(block + "relu2", LayerOp::relu);
  }
  // The reference pools over half the input's extents, rounded down: of 25 x 5 positions, 24 x 5.
  const KernelExtent half{spec.height / 2, spec.width / 2};
  net.average_pool("pool", half, std::max(half.height, half.width));
  net.apply("flatten", LayerOp::flatten);
  net.dense("dense", spec.classes);
}

}  // namespace assay
