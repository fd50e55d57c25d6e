#include "compress/train/preprocess.hpp"

namespace assay {

Preprocessor::Preprocessor(const Normalization& normalization)
    : tables_(normalization.mean.size()) {
  for (std::size_t c = 0; c < tables_.size(); ++c)
    for (int pixel = 0; pixel < 256; ++pixel)
      tables_[c][std::size_t(pixel)] =
          (float(pixel) / 255.0F - normalization.mean[c]) / normalization.deviation[c];
}

void Preprocessor::convert(const ImageSet& images, int index, float* out) const {
  const std::uint8_t* pixel = images.image(index);
  const int plane = images.height * images.width;
  for (const auto& table : tables_)
    for (int i = 0; i < plane; ++i)
      *out++ = table[*pixel++];
}

void Preprocessor::gather(const ImageSet& images, std::span<const int> indices,
                          std::vector<float>& out) const {
  const std::size_t size = std::size_t(images.channels) * images.height * images.width;
  out.resize(indices.size() * size);
  for (std::size_t i = 0; i < indices.size(); ++i)
    convert(images, indices[i], out.data() + i * size);
}

void Preprocessor::slice(const ImageSet& images, int first, int count,
                         std::vector<float>& out) const {
  const std::size_t size = std::size_t(images.channels) * images.height * images.width;
  out.resize(std::size_t(count) * size);
  for (int i = 0; i < count; ++i)
    convert(images, first + i, out.data() + std::size_t(i) * size);
}

}  // namespace assay
