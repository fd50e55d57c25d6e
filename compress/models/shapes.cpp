// Shape inference over the layer vocabulary, and the counts that follow from it.
#include <fmt/format.h>

#include "compress/models/model_spec.hpp"

namespace assay {
namespace {

// Far above any network of ours; bounds what a product of a few extents can reach.
constexpr int max_extent = 1 << 16;

class ShapeWalk {
 public:
  explicit ShapeWalk(const ModelSpec& spec) : spec_(spec) {}

  Result<std::vector<LayerShape>> run() {
    for (int extent : {spec_.channels, spec_.height, spec_.width})
      if (extent < 1 || extent > max_extent)
        return fail(ErrorKind::bad_input,
                    fmt::format("model {}: an input of {} x {} x {} is not an image", spec_.name,
                                spec_.channels, spec_.height, spec_.width));
    for (const LayerSpec& layer : spec_.layers) {
      ASSAY_TRY(LayerShape shape, output_of(layer));
      shapes_.push_back(shape);
    }
    ASSAY_CHECK(check_output());
    return std::move(shapes_);
  }

 private:
  tl::unexpected<Error> wrong(const LayerSpec& layer, const std::string& what) const {
    return fail(ErrorKind::bad_input,
                fmt::format("model {}, layer '{}': {}", spec_.name, layer.name, what));
  }

  Result<LayerShape> input_of(const LayerSpec& layer, std::size_t which) const {
    const int index = layer.inputs[which];
    if (index < -1 || index >= int(shapes_.size()))
      return wrong(layer, fmt::format("input {} is not an earlier layer", index));
    if (index == -1) return LayerShape{spec_.channels, spec_.height, spec_.width};
    return shapes_[index];
  }

  Result<LayerShape> output_of(const LayerSpec& layer) const {
    const std::size_t wanted = layer.op == LayerOp::add ? 2 : 1;
    if (layer.inputs.size() != wanted)
      return wrong(layer, fmt::format("needs {} input(s), has {}", wanted, layer.inputs.size()));
    ASSAY_TRY(LayerShape in, input_of(layer, 0));
    switch (layer.op) {
      case LayerOp::convolution:
      case LayerOp::dense:
        if (layer.out_channels < 1 || layer.out_channels > max_extent)
          return wrong(layer, fmt::format("cannot have {} output channels", layer.out_channels));
        if (layer.op == LayerOp::convolution) return windowed(layer, in, layer.out_channels);
        if (in.height != 1 || in.width != 1) return wrong(layer, "its input must be flat");
        return LayerShape{layer.out_channels, 1, 1};
      case LayerOp::depthwise:
      case LayerOp::max_pool:
      case LayerOp::average_pool:
        return windowed(layer, in, in.channels);
      case LayerOp::global_average_pool:
        return LayerShape{in.channels, 1, 1};
      case LayerOp::flatten:
        if (std::int64_t(in.channels) * in.height * in.width > max_extent)
          return wrong(layer, "its input is too large");
        return LayerShape{in.channels * in.height * in.width, 1, 1};
      case LayerOp::relu:
      case LayerOp::relu6:
        return in;
      case LayerOp::add:
        return added(layer, in);
    }
    return wrong(layer, "has an operator unknown to shape inference");
  }

  Result<LayerShape> added(const LayerSpec& layer, LayerShape in) const {
    ASSAY_TRY(LayerShape other, input_of(layer, 1));
    if (in.channels != other.channels || in.height != other.height || in.width != other.width)
      return wrong(layer, fmt::format("adds {} x {} x {} to {} x {} x {}", in.channels, in.height,
                                      in.width, other.channels, other.height, other.width));
    return in;
  }

  /// Output of a square window: floor((extent + 2 padding - kernel) / stride) + 1.
  Result<LayerShape> windowed(const LayerSpec& layer, LayerShape in, int channels) const {
    if (layer.kernel < 1 || layer.stride < 1 || layer.padding < 0 || layer.padding >= layer.kernel)
      return wrong(layer, fmt::format("kernel {}, stride {}, padding {} make no window",
                                      layer.kernel, layer.stride, layer.padding));
    const int rows = in.height + 2 * layer.padding - layer.kernel;
    const int columns = in.width + 2 * layer.padding - layer.kernel;
    if (rows < 0 || columns < 0)
      return wrong(layer, fmt::format("its {0} x {0} window does not fit an input of {1} x {2}",
                                      layer.kernel, in.height, in.width));
    return LayerShape{channels, rows / layer.stride + 1, columns / layer.stride + 1};
  }

  Status check_output() const {
    if (shapes_.empty())
      return fail(ErrorKind::bad_input, fmt::format("model {} has no layers", spec_.name));
    const LayerShape& last = shapes_.back();
    if (last.channels != spec_.classes || last.height != 1 || last.width != 1)
      return wrong(spec_.layers.back(),
                   fmt::format("puts out {} x {} x {}, not {} class scores", last.channels,
                               last.height, last.width, spec_.classes));
    return {};
  }

  const ModelSpec& spec_;
  std::vector<LayerShape> shapes_;
};

/// Weights that make one output value; 0 for operators without weights.
std::uint64_t weights_per_output(const LayerSpec& layer, int in_channels) {
  const std::uint64_t window = std::uint64_t(layer.kernel) * layer.kernel;
  switch (layer.op) {
    case LayerOp::convolution:
      return window * in_channels;
    case LayerOp::depthwise:
      return window;
    case LayerOp::dense:
      return in_channels;
    default:
      return 0;
  }
}

/// Calls `each(weights per output value, output shape)` for every layer with weights.
template <class Each>
Status for_each_weighted(const ModelSpec& spec, Each each) {
  ASSAY_TRY(const auto shapes, infer_shapes(spec));
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const int from = spec.layers[i].inputs[0];
    const int in_channels = from == -1 ? spec.channels : shapes[from].channels;
    if (const auto weights = weights_per_output(spec.layers[i], in_channels))
      each(weights, shapes[i]);
  }
  return {};
}

}  // namespace

Result<std::vector<LayerShape>> infer_shapes(const ModelSpec& spec) {
  return ShapeWalk(spec).run();
}

Result<std::uint64_t> count_parameters(const ModelSpec& spec) {
  std::uint64_t parameters = 0;
  ASSAY_CHECK(for_each_weighted(spec, [&](std::uint64_t weights, const LayerShape& out) {
    parameters += out.channels * (weights + 1);  // one bias a channel
  }));
  return parameters;
}

Result<Macs> count_macs(const ModelSpec& spec) {
  Macs macs;
  ASSAY_CHECK(for_each_weighted(spec, [&](std::uint64_t weights, const LayerShape& out) {
    macs += Macs(weights * out.channels * out.height * out.width);
  }));
  return macs;
}

}  // namespace assay
