#include "compress/data/pointing.hpp"

#include <algorithm>
#include <array>

#include "compress/data/counter_random.hpp"
#include "harness/core/hash.hpp"

namespace assay::pointing {
namespace {

/// A change of any pixel or target changes this number.
constexpr std::string_view recipe = "pointing-1";
constexpr std::uint64_t set_seed = 0x706f696e74;  // "point"
constexpr int side = 32;
constexpr int first_validation = 42;
constexpr int first_test = 51;
constexpr int calibration_images = 512;

/// Lengths are in 1/16 pixel, brightness in 0..255.
constexpr int unit = 16;

/// What one subject's images have in common.
struct Subject {
  int radius;      ///< of the disc
  int darkness;    ///< brightness of the disc
  int background;  ///< mean brightness around it
  int texture;     ///< how strongly the background varies
  int rest_x;      ///< where the disc sits when the target is 0
  int rest_y;
  int reach;  ///< how far it moves from there for a target of 1

  explicit Subject(int number) {
    CounterRandom random(set_seed, std::uint64_t(number), 0);
    radius = random.between(4 * unit, 6 * unit);
    darkness = random.between(20, 70);
    background = random.between(150, 210);
    texture = random.between(6, 20);
    rest_x = side * unit / 2 + random.between(-unit, unit);
    rest_y = side * unit / 2 + random.between(-unit, unit);
    reach = random.between(7 * unit, 8 * unit);
  }
};

/// A disc's share of a pixel, 0..unit, from the squared distance of their centres: a soft edge one
/// pixel wide.
int coverage(int dx, int dy, int radius) {
  const int inner = radius - unit / 2;
  const int outer = radius + unit / 2;
  const int distance = dx * dx + dy * dy;
  if (distance <= inner * inner) return unit;
  if (distance >= outer * outer) return 0;
  return unit * (outer * outer - distance) / (outer * outer - inner * inner);
}

int blend(int under, int over, int share) {
  return (under * (unit - share) + over * share) / unit;
}

/// Draws one image and returns its targets in 1/1024.
std::array<int, 2> draw(int subject_number, int image, std::array<std::uint8_t, side * side>& out) {
  const Subject subject(subject_number);
  CounterRandom random(set_seed, std::uint64_t(subject_number), std::uint64_t(image) + 1);
  const std::array<int, 2> target{random.between(-1024, 1024), random.between(-1024, 1024)};
  const int x = subject.rest_x + subject.reach * target[0] / 1024;
  const int y = subject.rest_y + subject.reach * target[1] / 1024;
  const int light = random.between(-12, 12);  // of this picture
  const int slope = random.between(-2, 2);    // light falls in from one side
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      const int dx = column * unit + unit / 2 - x;
      const int dy = row * unit + unit / 2 - y;
      const int grain = random.between(-subject.texture, subject.texture);
      int value = subject.background + light + slope * (column - side / 2) + grain;
      value = blend(value, subject.darkness + grain / 4, coverage(dx, dy, subject.radius));
      // A glint that sits up and to the left inside the disc.
      value = blend(value, 245, coverage(dx + subject.radius / 3, dy + subject.radius / 3, unit));
      out[std::size_t(row * side + column)] = std::uint8_t(std::clamp(value, 0, 255));
    }
  }
  return target;
}

}  // namespace

DatasetInfo info() {
  DatasetInfo info;
  info.name = "pointing";
  info.title = "Pointing (synthetic)";
  info.task = DatasetInfo::Task::regression;
  info.outputs = 2;
  info.channels = 1;
  info.height = side;
  info.width = side;
  info.target_names = {"x", "y"};
  info.training_images = first_validation * images_per_subject;
  // Mean and population deviation over every pixel of the training split, five decimals.
  info.normalization = {{0.67593f}, {0.16460f}};
  info.fingerprint = sha256_hex(recipe);
  return info;
}

ImageSet load(Split split) {
  const int first = split == Split::test         ? first_test
                    : split == Split::validation ? first_validation
                                                 : 0;
  const int last = split == Split::test         ? subjects
                   : split == Split::validation ? first_test
                                                : first_validation;
  const int all = (last - first) * images_per_subject;
  const int wanted = split == Split::calibration ? calibration_images : all;
  ImageSet images;
  images.height = side;
  images.width = side;
  images.reserve(wanted);
  std::array<std::uint8_t, side * side> pixels{};
  for (int i = 0; i < wanted; ++i) {
    const int subject = first + i % (last - first);
    const int image = i / (last - first);
    for (const int target : draw(subject, image, pixels))
      images.targets.push_back(float(target) / 1024.0F);
    images.append(pixels, std::uint32_t(subject * images_per_subject + image));
  }
  return images;
}

}  // namespace assay::pointing
