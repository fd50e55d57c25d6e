// Shape inference over the layer vocabulary, and the counts that follow from it.
#include <fmt/format.h>

#include <algorithm>

#include "compress/models/model_spec.hpp"

namespace assay {
namespace {

// Far above any network of ours; bounds what a product of a few extents can reach.
constexpr int max_extent = 1 << 16;

/// Finds the shape of one layer's output and says why it has none.
class LayerInference {
 public:
  LayerInference(const ModelSpec& spec, std::span<const LayerShape> earlier, const LayerSpec& layer)
      : spec_(spec), earlier_(earlier), layer_(layer) {}

  Result<LayerShape> run() const {
    const std::size_t wanted = takes_two() ? 2 : 1;
    if (layer_.inputs.size() != wanted)
      return wrong(fmt::format("needs {} input(s), has {}", wanted, layer_.inputs.size()));
    ASSAY_TRY(LayerShape in, input(0));
    switch (layer_.op) {
      case LayerOp::convolution:
      case LayerOp::dense:
        if (layer_.out_channels < 1 || layer_.out_channels > max_extent)
          return wrong(fmt::format("cannot have {} output channels", layer_.out_channels));
        if (layer_.op == LayerOp::convolution) return windowed(in, layer_.out_channels);
        if (in.height != 1 || in.width != 1) return wrong("its input must be flat");
        return LayerShape{layer_.out_channels, 1, 1};
      case LayerOp::depthwise:
      case LayerOp::max_pool:
      case LayerOp::average_pool:
        return windowed(in, in.channels);
      case LayerOp::global_average_pool:
        return LayerShape{in.channels, 1, 1};
      case LayerOp::flatten:
        if (std::int64_t(in.channels) * in.height * in.width > max_extent)
          return wrong("its input is too large");
        return LayerShape{in.channels * in.height * in.width, 1, 1};
      case LayerOp::relu:
      case LayerOp::relu6:
      case LayerOp::sigmoid:
      case LayerOp::batch_norm:
        return in;
      case LayerOp::add:
      case LayerOp::multiply:
      case LayerOp::concat:
        return joined(in);
    }
    return wrong("has an operator unknown to shape inference");
  }

 private:
  tl::unexpected<Error> wrong(const std::string& what) const {
    return fail(ErrorKind::bad_input,
                fmt::format("model {}, layer '{}': {}", spec_.name, layer_.name, what));
  }

  bool takes_two() const {
    return layer_.op == LayerOp::add || layer_.op == LayerOp::multiply ||
           layer_.op == LayerOp::concat;
  }

  Result<LayerShape> input(std::size_t which) const {
    const int index = layer_.inputs[which];
    if (index < -1 || index >= int(earlier_.size()))
      return wrong(fmt::format("input {} is not an earlier layer", index));
    if (index == -1) return LayerShape{spec_.channels, spec_.height, spec_.width};
    return earlier_[std::size_t(index)];
  }

  /// Output of add, multiply and concat.
  Result<LayerShape> joined(LayerShape in) const {
    ASSAY_TRY(LayerShape other, input(1));
    const bool same_image = in.height == other.height && in.width == other.width;
    const bool same_channels = in.channels == other.channels;
    const auto two = [&](const char* words) {
      return wrong(fmt::format(fmt::runtime(words), shape_text(in), shape_text(other)));
    };
    if (layer_.op == LayerOp::add && !(same_image && same_channels)) return two("adds {} to {}");
    if (layer_.op == LayerOp::multiply && !(same_channels && other.height == 1 && other.width == 1))
      return two("multiplies {} by {}, which is not one factor per channel");
    if (layer_.op != LayerOp::concat) return in;
    if (!same_image) return two("joins the channels of {} and {}, images of two sizes");
    if (in.channels > max_extent - other.channels) return two("joins {} and {}: too many channels");
    return LayerShape{in.channels + other.channels, in.height, in.width};
  }

  static std::string shape_text(LayerShape shape) {
    return fmt::format("{} x {} x {}", shape.channels, shape.height, shape.width);
  }

  Result<LayerShape> windowed(LayerShape in, int channels) const {
    const auto& [top, left, bottom, right] = layer_.padding;
    const KernelExtent& kernel = layer_.kernel;
    // A side padded by a whole window would have outputs that see no image.
    const bool padded_within = std::min({top, left, bottom, right}) >= 0 &&
                               std::max(top, bottom) < kernel.height &&
                               std::max(left, right) < kernel.width;
    if (kernel.height < 1 || kernel.width < 1 || layer_.stride < 1 || !padded_within)
      return wrong(fmt::format("kernel {} x {}, stride {}, padding {} {} {} {} make no window",
                               kernel.height, kernel.width, layer_.stride, top, left, bottom,
                               right));
    const int rows = in.height + top + bottom - kernel.height;
    const int columns = in.width + left + right - kernel.width;
    if (rows < 0 || columns < 0)
      return wrong(fmt::format("its {} x {} window does not fit an input of {} x {}", kernel.height,
                               kernel.width, in.height, in.width));
    return LayerShape{channels, rows / layer_.stride + 1, columns / layer_.stride + 1};
  }

  const ModelSpec& spec_;
  std::span<const LayerShape> earlier_;
  const LayerSpec& layer_;
};

Status check_output(const ModelSpec& spec, const std::vector<LayerShape>& shapes) {
  if (shapes.empty())
    return fail(ErrorKind::bad_input, fmt::format("model {} has no layers", spec.name));
  const LayerShape& last = shapes.back();
  if (last.channels != spec.classes || last.height != 1 || last.width != 1)
    return fail(
        ErrorKind::bad_input,
        fmt::format("model {}, layer '{}': puts out {} x {} x {}, not {} class scores", spec.name,
                    spec.layers.back().name, last.channels, last.height, last.width, spec.classes));
  return {};
}

/// Weights that make one output value; 0 for operators without weights.
std::uint64_t weights_per_output(const LayerSpec& layer, int in_channels) {
  const std::uint64_t window = std::uint64_t(layer.kernel.height) * layer.kernel.width;
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

int input_channels(const ModelSpec& spec, const std::vector<LayerShape>& shapes,
                   const LayerSpec& layer) {
  const int from = layer.inputs[0];
  return from == -1 ? spec.channels : shapes[std::size_t(from)].channels;
}

}  // namespace

Result<LayerShape> infer_output_shape(const ModelSpec& spec, std::span<const LayerShape> earlier,
                                      const LayerSpec& layer) {
  return LayerInference(spec, earlier, layer).run();
}

Result<std::vector<LayerShape>> infer_shapes(const ModelSpec& spec) {
  for (int extent : {spec.channels, spec.height, spec.width})
    if (extent < 1 || extent > max_extent)
      return fail(ErrorKind::bad_input,
                  fmt::format("model {}: an input of {} x {} x {} is not an image", spec.name,
                              spec.channels, spec.height, spec.width));
  std::vector<LayerShape> shapes;
  for (const LayerSpec& layer : spec.layers) {
    ASSAY_TRY(LayerShape shape, infer_output_shape(spec, shapes, layer));
    shapes.push_back(shape);
  }
  ASSAY_CHECK(check_output(spec, shapes));
  return shapes;
}

Result<std::uint64_t> count_parameters(const ModelSpec& spec) {
  ASSAY_TRY(const auto shapes, infer_shapes(spec));
  std::uint64_t parameters = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const LayerSpec& layer = spec.layers[i];
    const std::uint64_t channels = shapes[i].channels;
    if (layer.op == LayerOp::batch_norm) parameters += 2 * channels;
    const auto weights = weights_per_output(layer, input_channels(spec, shapes, layer));
    if (weights) parameters += channels * (weights + (layer.bias || layer.batch_norm));
  }
  return parameters;
}

Result<Macs> count_macs(const ModelSpec& spec) {
  ASSAY_TRY(const auto shapes, infer_shapes(spec));
  Macs macs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto [channels, height, width] = shapes[i];
    const LayerSpec& layer = spec.layers[i];
    const auto weights = weights_per_output(layer, input_channels(spec, shapes, layer));
    macs += Macs(weights * channels * height * width);
  }
  return macs;
}

}  // namespace assay
