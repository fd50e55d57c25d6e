#include "targets/graph/input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>

namespace assay {
namespace {

Result<std::vector<float>> read_list(const onnx::Model& model, const std::string& key,
                                     int channels) {
  const auto found = model.metadata.find(key);
  if (found == model.metadata.end())
    return fail(ErrorKind::bad_input,
                fmt::format("the model has no metadata \"{}\": it says how pixels become the "
                            "network's input, give mean and deviation",
                            key));
  const auto malformed = [&] {
    return fail(
        ErrorKind::bad_input,
        fmt::format("metadata \"{}\" is \"{}\": expected one number or {} numbers separated "
                    "by commas",
                    key, found->second, channels));
  };
  std::vector<float> values;
  const char* at = found->second.data();
  const char* const end = at + found->second.size();
  while (true) {
    while (at != end && *at == ' ')
      ++at;
    float value = 0;
    const auto parsed = std::from_chars(at, end, value);
    if (parsed.ec != std::errc() || !std::isfinite(value)) return malformed();
    values.push_back(value);
    at = parsed.ptr;
    if (at == end) break;
    if (*at++ != ',') return malformed();
  }
  if (values.size() == 1) values.resize(channels, values.front());
  if (static_cast<int>(values.size()) != channels) return malformed();
  return values;
}

int quantize(float x, const ActivationTensor& tensor) {
  const auto [lowest, highest] = range_of(tensor.element);
  const float q = std::nearbyint(x / tensor.scale) + static_cast<float>(tensor.zero_point);
  return static_cast<int>(std::clamp(q, static_cast<float>(lowest), static_cast<float>(highest)));
}

/// Fills NHWC from a function of (channel, index of a [channels][height][width] element).
template <class T, class Value>
std::vector<T> fill_planes(const ActivationTensor& tensor, Value value) {
  const int plane = tensor.height * tensor.width;
  std::vector<T> result(tensor.size());
  for (int c = 0; c < tensor.channels; ++c)
    for (int i = 0; i < plane; ++i)
      result[i * tensor.channels + c] = static_cast<T>(value(c, c * plane + i));
  return result;
}

/// The same of reals, quantized.
template <class Real>
std::vector<std::int8_t> fill_quantized(const ActivationTensor& tensor, Real real) {
  const auto value = [&](int channel, int index) { return quantize(real(channel, index), tensor); };
  if (tensor.element == Element::int16)
    return bytes_of(std::span<const std::int16_t>(fill_planes<std::int16_t>(tensor, value)));
  return fill_planes<std::int8_t>(tensor, value);
}

float normalized(std::uint8_t pixel, const InputNormalization& normalization, int channel) {
  const float value = static_cast<float>(pixel) / 255.0f;
  return (value - normalization.mean[channel]) / normalization.deviation[channel];
}

}  // namespace

Result<InputNormalization> read_normalization(const onnx::Model& model, int channels) {
  InputNormalization normalization;
  ASSAY_TRY(normalization.mean, read_list(model, "assay.mean", channels));
  ASSAY_TRY(normalization.deviation, read_list(model, "assay.deviation", channels));
  for (float deviation : normalization.deviation)
    if (deviation <= 0)
      return fail(ErrorKind::bad_input, "metadata \"assay.deviation\" must be positive numbers");
  return normalization;
}

std::vector<std::int8_t> quantize_pixels(std::span<const std::uint8_t> pixels,
                                         const InputNormalization& normalization,
                                         const ActivationTensor& tensor) {
  assert(static_cast<std::int64_t>(pixels.size()) == tensor.size());
  return fill_quantized(tensor, [&](int channel, int index) {
    return normalized(pixels[index], normalization, channel);
  });
}

std::vector<std::int8_t> quantize_values(std::span<const float> values,
                                         const ActivationTensor& tensor) {
  assert(static_cast<std::int64_t>(values.size()) == tensor.size());
  return fill_quantized(tensor, [&](int, int index) { return values[index]; });
}

std::vector<std::int8_t> network_input(std::span<const std::uint8_t> pixels,
                                       const InputNormalization& normalization,
                                       const ActivationTensor& tensor) {
  if (tensor.element != Element::float32) return quantize_pixels(pixels, normalization, tensor);
  assert(static_cast<std::int64_t>(pixels.size()) == tensor.size());
  const auto reals = fill_planes<float>(tensor, [&](int channel, int index) {
    return normalized(pixels[index], normalization, channel);
  });
  return bytes_of(std::span<const float>(reals));
}

}  // namespace assay
