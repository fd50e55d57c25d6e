#include "compress/train/teacher.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

namespace assay {

CachedTeacher::CachedTeacher(const std::vector<std::vector<float>>& logits, int outputs)
    : mean_(logits.front()), outputs_(outputs) {
  for (std::size_t t = 1; t < logits.size(); ++t)
    for (std::size_t i = 0; i < mean_.size(); ++i)
      mean_[i] += logits[t][i];
  const auto teachers = float(logits.size());
  for (float& value : mean_)
    value /= teachers;
}

Result<at::Tensor> CachedTeacher::outputs(std::span<const int> indices, const at::Tensor& input,
                                          NamedTensors*) {
  at::Tensor rows = at::empty({std::int64_t(indices.size()), outputs_});
  float* out = rows.data_ptr<float>();
  for (const int index : indices) {
    const auto first = mean_.begin() + std::ptrdiff_t(index) * outputs_;
    out = std::copy(first, first + outputs_, out);
  }
  return rows.to(input.device());
}

Status CachedTeacher::features(const at::Tensor&, NamedTensors&) {
  return fail(ErrorKind::bad_input, "hints need the teacher's network, not only its logits");
}

Result<std::string> CachedTeacher::output_of(const std::string&) const {
  return fail(ErrorKind::bad_input, "hints need the teacher's network, not only its logits");
}

Result<at::Tensor> NetworkTeacher::outputs(std::span<const int>, const at::Tensor& input,
                                           NamedTensors* taps) {
  const c10::NoGradGuard no_gradient;
  ASSAY_TRY(at::Tensor sum, networks_.front().forward(input, false, {}, taps));
  for (std::size_t t = 1; t < networks_.size(); ++t) {
    ASSAY_TRY(const at::Tensor other, networks_[t].forward(input, false));
    sum = sum + other;
  }
  return sum / double(networks_.size());
}

Status NetworkTeacher::features(const at::Tensor& input, NamedTensors& taps) {
  ASSAY_CHECK(networks_.front().forward(input, false, {}, &taps));
  return {};
}

Result<at::Tensor> JointTeacher::outputs(std::span<const int>, const at::Tensor& input,
                                         NamedTensors* taps) {
  return network_.forward(input, true, {}, taps);
}

Status JointTeacher::features(const at::Tensor& input, NamedTensors& taps) {
  ASSAY_CHECK(network_.forward(input, false, {}, &taps));
  return {};
}

}  // namespace assay
