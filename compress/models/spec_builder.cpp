#include "compress/models/spec_builder.hpp"

#include <algorithm>
#include <utility>

namespace assay {
namespace {

/// Padding along one axis, before and after the image.
std::pair<int, int> same_padding(int extent, int kernel, int stride) {
  const int outputs = (extent + stride - 1) / stride;
  const int total = std::max((outputs - 1) * stride + kernel - extent, 0);
  return {total / 2, total - total / 2};
}

}  // namespace

LayerShape SpecBuilder::shape() const {
  if (current_ < 0) return {spec_.channels, spec_.height, spec_.width};
  return shapes_[std::size_t(current_)];
}

SpecBuilder& SpecBuilder::from(int layer) {
  current_ = layer;
  return *this;
}

void SpecBuilder::append(LayerSpec layer) {
  if (layer.inputs.empty()) layer.inputs = {current_};
  shapes_.push_back(infer_output_shape(spec_, shapes_, layer).value_or(LayerShape{}));
  current_ = int(spec_.layers.size());
  spec_.layers.push_back(std::move(layer));
}

Padding SpecBuilder::padding_for(const LayerSpec& layer) const {
  if (rule_ == PaddingRule::none) return 0;
  if (rule_ == PaddingRule::half) {
    const int rows = (layer.kernel.height - 1) / 2;
    const int columns = (layer.kernel.width - 1) / 2;
    return {rows, columns, rows, columns};
  }
  const auto [top, bottom] = same_padding(shape().height, layer.kernel.height, layer.stride);
  const auto [left, right] = same_padding(shape().width, layer.kernel.width, layer.stride);
  return {top, left, bottom, right};
}

void SpecBuilder::append_windowed(LayerSpec layer) {
  layer.padding = padding_for(layer);
  append(std::move(layer));
}

void SpecBuilder::conv(const std::string& name, int filters, KernelExtent kernel, int stride,
                       Offset offset) {
  append_windowed({.name = name,
                   .op = LayerOp::convolution,
                   .out_channels = filters,
                   .kernel = kernel,
                   .stride = stride,
                   .batch_norm = offset == Offset::batch_norm,
                   .bias = offset != Offset::none});
}

void SpecBuilder::depthwise(const std::string& name, KernelExtent kernel, int stride) {
  append_windowed({.name = name,
                   .op = LayerOp::depthwise,
                   .kernel = kernel,
                   .stride = stride,
                   .batch_norm = true});
}

void SpecBuilder::max_pool(const std::string& name, KernelExtent kernel, int stride) {
  append_windowed({.name = name, .op = LayerOp::max_pool, .kernel = kernel, .stride = stride});
}

void SpecBuilder::average_pool(const std::string& name, KernelExtent kernel, int stride) {
  append({.name = name, .op = LayerOp::average_pool, .kernel = kernel, .stride = stride});
}

void SpecBuilder::apply(const std::string& name, LayerOp op) {
  append({.name = name, .op = op});
}

void SpecBuilder::join(const std::string& name, LayerOp op, int first, int second) {
  append({.name = name, .op = op, .inputs = {first, second}});
}

void SpecBuilder::dense(const std::string& name, int outputs) {
  append({.name = name, .op = LayerOp::dense, .out_channels = outputs});
}

void SpecBuilder::conv_bn_relu(int index, int filters, KernelExtent kernel, int stride) {
  conv("conv" + std::to_string(index), filters, kernel, stride);
  apply("relu" + std::to_string(index), LayerOp::relu);
}

void SpecBuilder::average_head() {
  apply("pool", LayerOp::global_average_pool);
  apply("flatten", LayerOp::flatten);
  dense("dense", spec_.classes);
}

int scaled_filters(int filters, int fewer_pct) {
  // Half of filters * (100 - fewer_pct) / 100, rounded, in integers: no float decides a shape.
  const int pairs = (filters * (100 - fewer_pct) + 100) / 200;
  return std::max(2, 2 * pairs);
}

bool has_large_images(const ModelSpec& spec) {
  return std::min(spec.height, spec.width) >= 64;
}

}  // namespace assay
