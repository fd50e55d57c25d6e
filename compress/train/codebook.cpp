#include "compress/train/codebook.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/round.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <map>

#include "compress/train/tensors.hpp"

namespace assay {
namespace {

// Integer values are trained in units of 127, so that a step of the optimizer moves them about as
// far as it moves real weights.
constexpr float unit = 127;

/// Distinct values, ascending, and each element's place among them.
template <class T>
std::pair<std::vector<T>, std::vector<int>> distinct(const std::vector<T>& elements) {
  std::vector<T> values = elements;
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::vector<int> assignment;
  for (const T element : elements)
    assignment.push_back(int(std::ranges::lower_bound(values, element) - values.begin()));
  return {std::move(values), std::move(assignment)};
}

}  // namespace

Codebook Codebook::of_reals(const std::vector<float>& values, const std::vector<int>& assignment,
                            const at::Tensor& weight) {
  Codebook codebook;
  codebook.shape_ = weight.sizes().vec();
  codebook.values_ = at::tensor(values).to(weight.device()).requires_grad_(true);
  std::vector<float> alive;
  for (const float value : values)
    alive.push_back(value == 0 ? 0.0F : 1.0F);
  codebook.alive_ = at::tensor(alive).to(weight.device());
  const std::vector<std::int64_t> indices(assignment.begin(), assignment.end());
  codebook.assignment_ = at::tensor(indices).to(weight.device());
  return codebook;
}

Codebook Codebook::of_integers(const std::vector<std::int8_t>& values,
                               const std::vector<int>& assignment, const std::vector<float>& scales,
                               const at::Tensor& weight) {
  std::vector<float> reals;
  for (const std::int8_t value : values)
    reals.push_back(float(value) / unit);
  Codebook codebook = of_reals(reals, assignment, weight);
  std::vector<std::int64_t> per_channel(std::size_t(weight.dim()), 1);
  per_channel[0] = std::int64_t(scales.size());
  codebook.multiplier_ = at::tensor(scales).reshape(per_channel).to(weight.device());
  codebook.scales_ = scales;
  return codebook;
}

Codebook Codebook::of_integers(const IntegerWeights& weights, const at::Tensor& weight) {
  const auto [values, assignment] = distinct(weights.values);
  return of_integers(values, assignment, weights.scales, weight);
}

Codebook Codebook::of_equal_reals(const at::Tensor& weight) {
  const auto [values, assignment] = distinct(to_vector(weight));
  return of_reals(values, assignment, weight);
}

at::Tensor Codebook::weights() const {
  at::Tensor values = values_ * alive_;
  if (!multiplier_.defined()) return values.index_select(0, assignment_).reshape(shape_);
  const at::Tensor clamped = at::clamp(values, -1, 1) * unit;
  // Rounded in the forward pass only.
  values = clamped + (at::round(clamped) - clamped).detach();
  return values.index_select(0, assignment_).reshape(shape_) * multiplier_;
}

std::optional<IntegerWeights> Codebook::integers() const {
  if (!multiplier_.defined()) return std::nullopt;
  const std::vector<float> rounded =
      to_vector(at::round(at::clamp(values_ * alive_, -1, 1) * unit));
  const at::Tensor assignment = assignment_.to(at::kCPU);
  IntegerWeights weights{{}, scales_};
  for (std::int64_t i = 0; i < assignment.numel(); ++i)
    weights.values.push_back(
        std::int8_t(rounded[std::size_t(assignment.data_ptr<std::int64_t>()[i])]));
  return weights;
}

}  // namespace assay
