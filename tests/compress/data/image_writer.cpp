#include "tests/compress/data/image_writer.hpp"

#include <gtest/gtest.h>
#include <turbojpeg.h>
#include <zlib.h>

namespace assay::test {
namespace {

std::string big_endian(std::uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), uInt(body.size()));
  return big_endian(std::uint32_t(data.size())) + body + big_endian(std::uint32_t(sum));
}

std::string deflated(const std::string& plain) {
  uLongf size = compressBound(uLong(plain.size()));
  std::string packed(size, '\0');
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(plain.data()), uLong(plain.size())),
            Z_OK);
  packed.resize(size);
  return packed;
}

}  // namespace

std::string png_file(int width, const std::vector<std::string>& rows, int depth, PngColour colour,
                     const std::string& palette) {
  std::string header = big_endian(std::uint32_t(width)) + big_endian(std::uint32_t(rows.size()));
  header += {char(depth), char(colour), 0, 0, 0};
  std::string data;
  for (const auto& row : rows)
    data += '\0' + row;  // filter type 0: as it stands
  std::string file = "\x89PNG\r\n\x1a\n" + chunk("IHDR", header);
  if (!palette.empty()) file += chunk("PLTE", palette);
  return file + chunk("IDAT", deflated(data)) + chunk("IEND", "");
}

std::string png_file(const RawImage& image) {
  std::vector<std::string> rows;
  const std::size_t length = std::size_t(image.width) * std::size_t(image.channels);
  for (int y = 0; y < image.height; ++y)
    rows.emplace_back(reinterpret_cast<const char*>(image.pixels.data()) + std::size_t(y) * length,
                      length);
  return png_file(image.width, rows, 8, image.channels == 1 ? PngColour::grey : PngColour::rgb);
}

std::string jpeg_file(const RawImage& image) {
  tjhandle handle = tjInitCompress();
  unsigned char* data = nullptr;
  unsigned long size = 0;
  const bool grey = image.channels == 1;
  EXPECT_EQ(tjCompress2(handle, image.pixels.data(), image.width, 0, image.height,
                        grey ? TJPF_GRAY : TJPF_RGB, &data, &size, grey ? TJSAMP_GRAY : TJSAMP_444,
                        100, 0),
            0);
  std::string file(reinterpret_cast<char*>(data), size);
  tjFree(data);
  tjDestroy(handle);
  return file;
}

RawImage flat_image(int channels, int height, int width, std::uint8_t value) {
  return {channels, height, width,
          std::vector<std::uint8_t>(std::size_t(channels * height * width), value)};
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace assay::test
