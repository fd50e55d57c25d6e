// The two networks of LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
// document recognition" (1998), in the forms that the pruning literature compresses: three dense
// layers, and Caffe's LeNet-5 with plain convolutions, max pools and its one ReLU.
#include "compress/models/families.hpp"
#include "compress/models/spec_builder.hpp"

namespace assay {

void build_lenet_300_100(const ModelChoice& choice, ModelSpec& spec) {
  SpecBuilder net(spec);
  net.apply("flatten", LayerOp::flatten);
  net.dense("dense1", scaled_filters(300, choice.fewer_filters_pct));
  net.apply("relu1", LayerOp::relu);
  net.dense("dense2", scaled_filters(100, choice.fewer_filters_pct));
  net.apply("relu2", LayerOp::relu);
  net.dense("dense3", spec.classes);
}

void build_lenet5(const ModelChoice& choice, ModelSpec& spec) {
  SpecBuilder net(spec, PaddingRule::none);
  net.conv("conv1", scaled_filters(20, choice.fewer_filters_pct), 5, 1, Offset::bias);
  net.max_pool("pool1", 2, 2);
  net.conv("conv2", scaled_filters(50, choice.fewer_filters_pct), 5, 1, Offset::bias);
  net.max_pool("pool2", 2, 2);
  net.apply("flatten", LayerOp::flatten);
  net.dense("dense1", scaled_filters(500, choice.fewer_filters_pct));
  net.apply("relu", LayerOp::relu);
  net.dense("dense2", spec.classes);
}

}  // namespace assay
