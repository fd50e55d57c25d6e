#include "compress/data/augment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compress/data/counter_random.hpp"

namespace assay {
namespace {

constexpr int longest = 1024;

int read_length(JsonObject& object, const std::string& key, int fallback) {
  const int value = object.optional<int>(key, fallback);
  if (value < 0 || value > longest)
    object.problem(key, fmt::format("expected 0 to {} pixels, found {}", longest, value));
  return value;
}

/// What is done to one image.
struct Draw {
  bool flip;
  int right;  ///< how far the image moves
  int down;
  int left;  ///< first column and row of the square
  int top;
};

Draw draw(const AugmentSettings& settings, std::uint64_t seed, int epoch, int index,
          const ImageSet& images) {
  CounterRandom random(seed, std::uint64_t(epoch), std::uint64_t(index));
  Draw drawn{};
  drawn.flip = random.below(2) == 1 && settings.flip;
  drawn.right = random.between(-settings.shift, settings.shift);
  drawn.down = random.between(-settings.shift, settings.shift);
  drawn.left = random.below(images.width) - settings.cutout / 2;
  drawn.top = random.below(images.height) - settings.cutout / 2;
  return drawn;
}

void cut_out(const Draw& drawn, int side, std::uint8_t mean, int height, int width,
             std::uint8_t* plane) {
  for (int y = std::max(0, drawn.top); y < std::min(height, drawn.top + side); ++y)
    for (int x = std::max(0, drawn.left); x < std::min(width, drawn.left + side); ++x)
      plane[y * width + x] = mean;
}

}  // namespace

Json to_json(const AugmentSettings& settings) {
  return {{"flip", settings.flip}, {"shift", settings.shift}, {"cutout", settings.cutout}};
}

AugmentSettings read_augment_settings(JsonObject& object) {
  AugmentSettings settings;
  settings.flip = object.optional<bool>("flip", settings.flip);
  settings.shift = read_length(object, "shift", settings.shift);
  settings.cutout = read_length(object, "cutout", settings.cutout);
  return settings;
}

Result<Augmenter> Augmenter::create(const AugmentSettings& settings, const DatasetInfo& data,
                                    std::uint64_t seed) {
  if (data.task == DatasetInfo::Task::regression && (settings.flip || settings.shift > 0))
    return fail(ErrorKind::bad_input,
                fmt::format("{} has targets that a {} would make wrong; only cutout is possible",
                            data.name, settings.flip ? "flip" : "shift"));
  const int side = std::min(data.height, data.width);
  if (settings.shift >= side || settings.cutout > side)
    return fail(ErrorKind::bad_input,
                fmt::format("the images of {} are {} x {}: expected a shift below {} and a cutout "
                            "of at most {}, found {} and {}",
                            data.name, data.height, data.width, side, side, settings.shift,
                            settings.cutout));
  std::vector<std::uint8_t> mean;
  for (const float value : data.normalization.mean)
    mean.push_back(std::uint8_t(std::clamp(std::lround(value * 255.0F), 0L, 255L)));
  return Augmenter(settings, std::move(mean), seed);
}

void Augmenter::write(const ImageSet& images, int epoch, int index,
                      std::span<std::uint8_t> out) const {
  const Draw drawn = draw(settings_, seed_, epoch, index, images);
  const int height = images.height;
  const int width = images.width;
  const std::uint8_t* from = images.image(index);
  std::uint8_t* to = out.data();
  for (int channel = 0; channel < images.channels; ++channel) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int source_y = y - drawn.down;
        const int unflipped = x - drawn.right;
        const bool inside =
            source_y >= 0 && source_y < height && unflipped >= 0 && unflipped < width;
        const int source_x = drawn.flip ? width - 1 - unflipped : unflipped;
        to[y * width + x] = inside ? from[source_y * width + source_x] : std::uint8_t{0};
      }
    }
    cut_out(drawn, settings_.cutout, mean_[std::size_t(channel)], height, width, to);
    from += height * width;
    to += height * width;
  }
}

}  // namespace assay
