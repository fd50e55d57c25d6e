#include "compress/data/image_file.hpp"

#include <fmt/format.h>
#include <png.h>
#include <turbojpeg.h>

#include <csetjmp>
#include <cstring>
#include <memory>

namespace assay {
namespace {

/// Larger images are not what small networks are made for; the limit keeps a forged header from
/// asking for all memory.
constexpr int largest_side = 16384;

tl::unexpected<Error> refused(const std::string& reason) {
  return fail(ErrorKind::bad_input, reason);
}

/// What libpng works on. Its errors arrive by longjmp, so nothing between setjmp and the call that
/// fails may own memory: everything lives here.
struct PngJob {
  std::span<const std::byte> rest;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string problem;
  RawImage image;
  std::vector<png_bytep> rows;

  ~PngJob() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_png_error(png_structp png, png_const_charp message) {
  static_cast<PngJob*>(png_get_error_ptr(png))->problem = message;
  png_longjmp(png, 1);
}

void read_png_bytes(png_structp png, png_bytep out, std::size_t count) {
  auto& rest = static_cast<PngJob*>(png_get_io_ptr(png))->rest;
  if (rest.size() < count) png_error(png, "is cut short");
  std::memcpy(out, rest.data(), count);
  rest = rest.subspan(count);
}

void ask_for_eight_bits(PngJob& job) {
  png_set_expand(job.png);
  png_set_strip_16(job.png);
  png_set_strip_alpha(job.png);
  png_set_interlace_handling(job.png);
  png_read_update_info(job.png, job.info);
}

void decode_png(PngJob& job) {
  png_set_user_limits(job.png, largest_side, largest_side);
  png_set_read_fn(job.png, &job, read_png_bytes);
  png_read_info(job.png, job.info);
  ask_for_eight_bits(job);
  RawImage& image = job.image;
  image.channels = png_get_channels(job.png, job.info);
  image.height = int(png_get_image_height(job.png, job.info));
  image.width = int(png_get_image_width(job.png, job.info));
  const std::size_t row = png_get_rowbytes(job.png, job.info);
  image.pixels.resize(row * std::size_t(image.height));
  for (int y = 0; y < image.height; ++y)
    job.rows.push_back(image.pixels.data() + std::size_t(y) * row);
  png_read_image(job.png, job.rows.data());
  png_read_end(job.png, nullptr);
}

Result<RawImage> read_png(std::span<const std::byte> file) {
  PngJob job;
  job.rest = file;
  // Warnings (about colour profiles, mostly) do not concern the pixels of a PNG: its check sums do.
  job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_png_error,
                                   [](png_structp, png_const_charp) {});
  job.info = job.png ? png_create_info_struct(job.png) : nullptr;
  if (!job.info) throw std::bad_alloc();
  if (setjmp(png_jmpbuf(job.png)) == 0) {
    decode_png(job);
    return std::move(job.image);
  }
  return refused(job.problem == "is cut short"
                     ? job.problem
                     : fmt::format("is not an intact PNG ({})", job.problem));
}

struct DestroyTurboJpeg {
  void operator()(void* handle) const { tjDestroy(handle); }
};

Result<RawImage> read_jpeg(std::span<const std::byte> file) {
  const std::unique_ptr<void, DestroyTurboJpeg> handle(tjInitDecompress());
  if (!handle) throw std::bad_alloc();
  const auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
  const auto damaged = [&] {
    return refused(fmt::format("is not an intact JPEG ({})", tjGetErrorStr2(handle.get())));
  };
  RawImage image;
  int subsampling = 0;
  int colours = 0;
  if (tjDecompressHeader3(handle.get(), bytes, file.size(), &image.width, &image.height,
                          &subsampling, &colours) != 0)
    return damaged();
  if (colours == TJCS_CMYK || colours == TJCS_YCCK)
    return refused("is a JPEG for printing (CMYK): convert it to RGB");
  if (image.width > largest_side || image.height > largest_side)
    return refused(fmt::format("is {} x {} pixels; the most is {} a side", image.width,
                               image.height, largest_side));
  image.channels = colours == TJCS_GRAY ? 1 : 3;
  image.pixels.resize(std::size_t(image.channels) * std::size_t(image.height) *
                      std::size_t(image.width));
  if (tjDecompress2(handle.get(), bytes, file.size(), image.pixels.data(), image.width, 0,
                    image.height, image.channels == 1 ? TJPF_GRAY : TJPF_RGB,
                    TJFLAG_ACCURATEDCT) != 0)
    return damaged();
  return image;
}

bool starts_with(std::span<const std::byte> file, std::string_view start) {
  return file.size() >= start.size() && std::memcmp(file.data(), start.data(), start.size()) == 0;
}

}  // namespace

Result<RawImage> decode_image(std::span<const std::byte> file) {
  if (file.empty()) return refused("is empty");
  if (starts_with(file, "\x89PNG\r\n\x1a\n")) return read_png(file);
  if (starts_with(file, "\xff\xd8\xff")) return read_jpeg(file);
  return refused("is neither a PNG nor a JPEG");
}

RawImage to_grey(RawImage image) {
  if (image.channels == 1) return image;
  for (std::size_t i = 0; i < image.pixels.size() / 3; ++i) {
    const std::uint8_t* pixel = image.pixels.data() + 3 * i;
    image.pixels[i] = std::uint8_t((299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000);
  }
  image.pixels.resize(image.pixels.size() / 3);
  image.channels = 1;
  return image;
}

RawImage to_colour(RawImage image) {
  if (image.channels == 3) return image;
  RawImage colour{3, image.height, image.width};
  colour.pixels.reserve(image.pixels.size() * 3);
  for (const std::uint8_t pixel : image.pixels)
    colour.pixels.insert(colour.pixels.end(), 3, pixel);
  return colour;
}

}  // namespace assay
