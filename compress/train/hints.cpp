#include "compress/train/hints.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mse_loss.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <random>

namespace assay {
namespace {

/// Uniform in +-sqrt(1 / inputs), from our own generator.
at::Tensor random_projection(std::int64_t outputs, std::int64_t inputs,
                             std::mt19937_64& generator) {
  at::Tensor weights = at::empty({outputs, inputs, 1, 1});
  const double bound = std::sqrt(1.0 / double(inputs));
  for (std::int64_t i = 0; i < weights.numel(); ++i)
    weights.data_ptr<float>()[i] = float(bound * (double(generator() >> 11) * 0x1p-52 - 1));
  return weights;
}

std::vector<std::int64_t> shape_of_one(const at::Tensor& batch) {
  return batch.sizes().slice(1).vec();
}

}  // namespace

Result<Hints> Hints::create(TrainableNetwork& student, Teacher* teacher,
                            const std::optional<DistillSettings>& settings, const at::Tensor& image,
                            std::uint64_t seed) {
  Hints hints;
  if (!settings || settings->hints.empty()) return hints;
  for (const auto& [student_layer, teacher_layer] : settings->hints) {
    ASSAY_TRY(const std::string from, student.output_of(student_layer));
    ASSAY_TRY(const std::string to, teacher->output_of(teacher_layer));
    hints.pairs_.push_back({from, to, {}});
  }
  const c10::NoGradGuard no_gradient;
  NamedTensors student_features = hints.student_taps();
  NamedTensors teacher_features = hints.teacher_taps();
  ASSAY_CHECK(student.forward(image, false, {}, &student_features));
  ASSAY_CHECK(teacher->features(image, teacher_features));
  std::mt19937_64 generator(seed);
  for (Pair& pair : hints.pairs_) {
    const at::Tensor& from = student_features.at(pair.student);
    const at::Tensor& to = teacher_features.at(pair.teacher);
    ASSAY_CHECK(check_hint({pair.student, shape_of_one(from)}, {pair.teacher, shape_of_one(to)}));
    if (from.size(1) != to.size(1))
      pair.projection = random_projection(to.size(1), from.size(1), generator)
                            .to(image.device())
                            .requires_grad_(true);
  }
  return hints;
}

NamedTensors Hints::student_taps() const {
  NamedTensors taps;
  for (const Pair& pair : pairs_)
    taps[pair.student] = at::Tensor();
  return taps;
}

NamedTensors Hints::teacher_taps() const {
  NamedTensors taps;
  for (const Pair& pair : pairs_)
    taps[pair.teacher] = at::Tensor();
  return taps;
}

Result<at::Tensor> Hints::loss(const NamedTensors& student, const NamedTensors& teacher) const {
  at::Tensor sum;
  for (const Pair& pair : pairs_) {
    at::Tensor feature = student.at(pair.student);
    if (pair.projection.defined()) {
      const bool flat = feature.dim() == 2;
      if (flat) feature = feature.unsqueeze(2).unsqueeze(3);
      feature = at::conv2d(feature, pair.projection);
      if (flat) feature = feature.flatten(1);
    }
    const at::Tensor error = at::mse_loss(feature, teacher.at(pair.teacher).detach());
    sum = sum.defined() ? sum + error : error;
  }
  return sum / double(pairs_.size());
}

std::vector<at::Tensor> Hints::parameters() const {
  std::vector<at::Tensor> all;
  for (const Pair& pair : pairs_)
    if (pair.projection.defined()) all.push_back(pair.projection);
  return all;
}

NamedTensors Hints::state() const {
  NamedTensors state;
  for (const Pair& pair : pairs_)
    if (pair.projection.defined()) state[pair.student + ">" + pair.teacher] = pair.projection;
  return state;
}

void Hints::restore(const NamedTensors& state) {
  const c10::NoGradGuard no_gradient;
  for (Pair& pair : pairs_)
    if (pair.projection.defined())
      pair.projection.copy_(state.at(pair.student + ">" + pair.teacher));
}

}  // namespace assay
