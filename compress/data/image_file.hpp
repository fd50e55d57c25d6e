// Decoding of PNG (libpng) and JPEG (libjpeg-turbo). Both are the libraries every distribution
// keeps in repair, and both decode bit for bit alike on every machine. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

/// A decoded image, 8 bits a channel. Row-major, the channels of a pixel side by side.
struct RawImage {
  int channels = 1;  ///< 1 grey, 3 red green blue
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels{};  ///< [height][width][channels]
};

/// Decodes a PNG or JPEG file, told apart by its first bytes. Palettes become colours, one to four
/// bits become eight, of sixteen bits the upper eight stay, an alpha channel is left out; gamma and
/// colour profiles are not applied. Whatever the decoder so much as warns of is an error: an image
/// is whole or it is not used. Errors: bad_input with the reason, without the name of the file,
/// which the caller knows ("is cut short").
Result<RawImage> decode_image(std::span<const std::byte> file);

/// One grey channel from three by ITU-R BT.601 luma, in integers: (299 R + 587 G + 114 B + 500) /
/// 1000. Grey images stay as they are.
RawImage to_grey(RawImage image);
/// Three equal channels from one. Colour images stay as they are.
RawImage to_colour(RawImage image);

}  // namespace assay
