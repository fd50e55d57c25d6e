#include "compress/data/resize.hpp"

#include <algorithm>

namespace assay {
namespace {

/// A source pixel's share in a target pixel along one axis.
struct Share {
  int source;
  std::int64_t weight;  ///< the weights of a target pixel add up to the source's extent
};

/// The shares of every target pixel. In units of 1 / (from * to) of the axis, a source pixel is
/// `to` long and a target pixel `from`, so every overlap is a whole number.
std::vector<std::vector<Share>> shares(int from, int to) {
  std::vector<std::vector<Share>> all(static_cast<std::size_t>(to));
  for (std::int64_t target = 0; target < to; ++target) {
    const std::int64_t begin = target * from;
    const std::int64_t end = begin + from;
    for (std::int64_t source = begin / to; source * to < end; ++source) {
      const std::int64_t overlap = std::min(end, (source + 1) * to) - std::max(begin, source * to);
      all[std::size_t(target)].push_back({int(source), overlap});
    }
  }
  return all;
}

}  // namespace

RawImage resize_by_area(const RawImage& image, int height, int width) {
  if (image.height == height && image.width == width) return image;
  const auto rows = shares(image.height, height);
  const auto columns = shares(image.width, width);
  const std::int64_t area = std::int64_t{image.height} * image.width;
  RawImage out{image.channels, height, width};
  out.pixels.reserve(std::size_t(image.channels) * std::size_t(height) * std::size_t(width));
  for (const auto& row : rows) {
    for (const auto& column : columns) {
      for (int channel = 0; channel < image.channels; ++channel) {
        std::int64_t sum = 0;
        for (const Share& y : row)
          for (const Share& x : column)
            sum += y.weight * x.weight *
                   image.pixels[(std::size_t(y.source) * std::size_t(image.width) +
                                 std::size_t(x.source)) *
                                    std::size_t(image.channels) +
                                std::size_t(channel)];
        out.pixels.push_back(std::uint8_t((2 * sum + area) / (2 * area)));
      }
    }
  }
  return out;
}

}  // namespace assay
