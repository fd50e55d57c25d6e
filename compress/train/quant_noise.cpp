#include "compress/train/quant_noise.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/round.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "compress/methods/quantization_scale.hpp"
#include "compress/methods/weight_scale.hpp"
#include "compress/train/tensors.hpp"

namespace assay {
namespace {

int bits_of(NoiseSettings::Kind kind) {
  return kind == NoiseSettings::Kind::int4 ? 4 : 8;
}

}  // namespace

Result<std::unique_ptr<QuantNoise>> QuantNoise::create(const TrainableNetwork& network,
                                                       const NoiseSettings& settings,
                                                       std::uint64_t seed) {
  std::unique_ptr<QuantNoise> noise(new QuantNoise(network, settings, seed));
  ASSAY_TRY(const auto layers, weighted_layers(network.original()));
  std::vector<bool> frozen;
  for (std::size_t i = 0; i < layers.size(); ++i)
    frozen.push_back(network.frozen(i));
  ASSAY_TRY(const auto noisy, choose_noisy_layers(layers, frozen, settings));
  noise->report_["settings"] = to_json(settings);
  if (!noisy.left_out.empty()) noise->report_["left_out"] = noisy.left_out;
  for (const std::size_t index : noisy.chosen) {
    noise->noisy_[index] = true;
    noise->report_["layers"].push_back(layers[index].name);
  }
  return noise;
}

Status QuantNoise::begin_step(std::int64_t step, std::int64_t) {
  // Each step has its own random numbers, so that an interrupted training goes on alike.
  generator_.seed(seed_ + 0x9E3779B97F4A7C15U * (std::uint64_t(step) + 1));
  if (step % settings_.refresh != 0) return {};
  ASSAY_TRY(numbers_, find_numbers());
  return {};
}

void QuantNoise::set_training(bool training) {
  training_ = training;
  if (training) return;
  // Numbers of weights long past would evaluate another network than the one that is written.
  // Every epoch ends with finite weights, so there are some.
  evaluated_ = find_numbers().value();
}

Result<std::vector<at::Tensor>> QuantNoise::find_numbers() const {
  std::vector<at::Tensor> numbers(noisy_.size());
  for (std::size_t i = 0; i < noisy_.size(); ++i) {
    if (!noisy_[i]) continue;
    const at::Tensor& weight = network_.layers()[i].weight;
    const std::vector<float> values = to_vector(weight);
    const std::int64_t rows = weight.size(0);
    if (settings_.kind == NoiseSettings::Kind::product) {
      ASSAY_TRY(const ProductCodebook codebook,
                product_quantize(values, rows, weight.numel() / rows, settings_.product, seed_));
      numbers[i] = like_weight(codebook.reconstruction(settings_.block), weight);
      continue;
    }
    const auto scales = quantize_weights(values, rows, {.bits = bits_of(settings_.kind)}).scales;
    std::vector<std::int64_t> shape(std::size_t(weight.dim()), 1);
    shape[0] = rows;
    numbers[i] = at::tensor(scales).reshape(shape).to(weight.device());
  }
  return numbers;
}

at::Tensor QuantNoise::quantized(const at::Tensor& numbers, const at::Tensor& weight) const {
  if (settings_.kind == NoiseSettings::Kind::product) return numbers;
  const int limit = weight_limit(bits_of(settings_.kind));
  return at::clamp(at::round(weight / numbers), -limit, limit) * numbers;
}

/// 1 in blocks of consecutive weights of a row that are quantized in this pass, 0 elsewhere.
at::Tensor QuantNoise::random_blocks(const at::Tensor& weight) {
  const std::int64_t row = weight.numel() / weight.size(0);
  const auto chosen = std::uint64_t(settings_.p * 0x1p32);
  std::vector<float> mask(std::size_t(weight.numel()), 0.0F);
  for (std::int64_t first = 0; first < weight.numel(); first += row)
    for (std::int64_t block = 0; block < row; block += settings_.block) {
      if (generator_() >> 32 >= chosen) continue;
      const std::int64_t end = std::min<std::int64_t>(block + settings_.block, row);
      std::fill(mask.begin() + first + block, mask.begin() + first + end, 1.0F);
    }
  return like_weight(mask, weight);
}

at::Tensor QuantNoise::weight(std::size_t layer, const at::Tensor& weight) {
  const at::Tensor& numbers = (training_ ? numbers_ : evaluated_)[layer];
  if (!numbers.defined()) return weight;
  const at::Tensor noise = (quantized(numbers, weight) - weight).detach();
  return weight + (training_ ? random_blocks(weight) * noise : noise);
}

at::Tensor QuantNoise::final_weight(std::size_t layer, const at::Tensor& weight) {
  if (!noisy_[layer] || settings_.kind != NoiseSettings::Kind::product) return weight;
  const std::int64_t rows = weight.size(0);
  const auto codebook =
      product_quantize(to_vector(weight), rows, weight.numel() / rows, settings_.product, seed_);
  return like_weight(codebook.value().reconstruction(settings_.block), weight);
}

NamedTensors QuantNoise::state() const {
  NamedTensors state;
  for (std::size_t i = 0; i < numbers_.size(); ++i)
    if (numbers_[i].defined()) state[std::to_string(i)] = numbers_[i];
  return state;
}

void QuantNoise::restore(const NamedTensors& state) {
  for (const auto& [name, tensor] : state)
    numbers_[std::stoul(name)] = tensor.to(network_.layers()[std::stoul(name)].weight.device());
}

}  // namespace assay
