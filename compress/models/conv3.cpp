// Three 5x5 convolutions on CIFAR-10: the example network of Arm's CMSIS-NN library (CMSIS 5,
// nn_examples/cifar10), itself a smaller form of Caffe's cifar10_quick. Its filters are 32, 16, 32;
// the CMSIS-NN paper (Lai, Suda and Chandra, 2018) measures a wider one, 32, 32, 64. The thesis
// that reports 59.42 % on an STM32F779 runs the example, so that is the one here.
#include <array>
#include <string>

#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {

void build_conv3(const ModelChoice& choice, ModelSpec& spec) {
  constexpr std::array<int, 3> filters{32, 16, 32};
  // Caffe rounds a pool's extents up, so its 3x3 windows hang over the lower right edge as SAME's
  // do.
  SpecBuilder net(spec, PaddingRule::same);
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    net.conv("conv" + number, scaled_filters(filters[i], choice.fewer_filters_pct), 5, 1,
             Offset::bias);
    net.apply("relu" + number, LayerOp::relu);
    net.max_pool("pool" + number, 3, 2);
  }
  net.apply("flatten", LayerOp::flatten);
  net.dense("dense", spec.classes);
}

}  // namespace assay
