#include "compress/train/preprocess.hpp"

namespace assay {

Preprocessor::Preprocessor(const Normalization& normalization)
    : tables_(normalization.mean.size()) {
  for (std::size_t c = 0; c < tables_.size(); ++c)
    for (int pixel = 0; pixel < 256; ++pixel)
      tables_[c][std::size_t(pixel)] =
          (float(pixel) / 255.0F - normalization.mean[c]) / normalization.deviation[c];
}

void Preprocessor::convert(const std::uint8_t* pixels, int plane, float* out) const {
  for (const auto& table : tables_)
    for (int i = 0; i < plane; ++i)
      *out++ = table[*pixels++];
}

void Preprocessor::gather(const ImageSet& images, std::span<const int> indices,
                          std::vector<float>& out, Augmentation augmentation) const {
  const std::size_t size = images.image_size();
  const int plane = images.height * images.width;
  std::vector<std::uint8_t> changed(augmentation.augmenter ? size : 0);
  out.resize(indices.size() * size);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::uint8_t* pixels = images.image(indices[i]);
    if (augmentation.augmenter) {
      augmentation.augmenter->write(images, augmentation.epoch, indices[i], changed);
      pixels = changed.data();
    }
    convert(pixels, plane, out.data() + i * size);
  }
}

void Preprocessor::slice(const ImageSet& images, int first, int count,
                         std::vector<float>& out) const {
  const std::size_t size = images.image_size();
  out.resize(std::size_t(count) * size);
  for (int i = 0; i < count; ++i)
    convert(images.image(first + i), images.height * images.width,
            out.data() + std::size_t(i) * size);
}

}  // namespace assay
