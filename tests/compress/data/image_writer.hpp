// Image files for tests. The PNG writer is our own, so that what libpng reads is judged by
// something else than libpng.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/data/image_file.hpp"

namespace assay::test {

/// How a PNG stores its pixels; values of the format's colour type.
enum class PngColour : std::uint8_t { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgba = 6 };

/// A PNG with rows as they stand in `rows` (one string of bytes each, already packed).
std::string png_file(int width, const std::vector<std::string>& rows, int depth, PngColour colour,
                     const std::string& palette = "");

/// An 8-bit grey or RGB PNG of an image.
std::string png_file(const RawImage& image);

/// A JPEG of an image at best quality, grey or RGB without subsampling.
std::string jpeg_file(const RawImage& image);

/// An image of one value.
RawImage flat_image(int channels, int height, int width, std::uint8_t value);

std::span<const std::byte> bytes_of(const std::string& text);

}  // namespace assay::test
