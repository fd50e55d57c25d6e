#include "compress/train/fake_quantize.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/round.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace assay {
namespace {

// Adding and subtracting it rounds a float below 2^22 to the nearest integer, half to even, in two
// instructions that the compiler can vectorize.
constexpr float rounder = 12582912.0F;
constexpr float largest_rounded = 4194303.0F;

struct Grid {
  float scale;
  float inverse;
  float zero_point;
  float low;
  float high;

  float steps(float x) const { return std::clamp(x * inverse, -largest_rounded, largest_rounded); }
  float rounded(float steps_from_zero) const {
    return (steps_from_zero + rounder) - rounder + zero_point;
  }
};

/// The same memory layout as `like`, element for element.
at::Tensor laid_out_like(const at::Tensor& tensor, const at::Tensor& like) {
  if (tensor.strides() == like.strides() && tensor.sizes() == like.sizes()) return tensor;
  return at::empty_like(like).copy_(tensor);
}

class FakeQuantize : public torch::autograd::Function<FakeQuantize> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& scale, int64_t zero_point, int64_t low,
                            int64_t high) {
    const at::Tensor x = input.is_non_overlapping_and_dense() ? input : input.contiguous();
    const Grid grid = grid_of(scale, zero_point, low, high);
    at::Tensor y = at::empty_like(x);
    const float* in = x.data_ptr<float>();
    float* out = y.data_ptr<float>();
    const std::int64_t count = x.numel();
    for (std::int64_t i = 0; i < count; ++i) {
      const float q = std::clamp(grid.rounded(grid.steps(in[i])), grid.low, grid.high);
      out[i] = grid.scale * (q - grid.zero_point);
    }
    context->save_for_backward({x, scale});
    context->saved_data["zero_point"] = zero_point;
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const Grid grid =
        grid_of(saved[1], context->saved_data["zero_point"].toInt(),
                context->saved_data["low"].toInt(), context->saved_data["high"].toInt());
    const at::Tensor gradient = laid_out_like(gradients[0], x);
    at::Tensor to_input = at::empty_like(x);
    const double to_scale = saved[1].requires_grad()
                                ? backward_with_scale(x, gradient, grid, to_input)
                                : backward_alone(x, gradient, grid, to_input);
    at::Tensor scale_gradient;
    if (saved[1].requires_grad()) scale_gradient = at::full(saved[1].sizes(), to_scale);
    return {to_input, scale_gradient, at::Tensor(), at::Tensor(), at::Tensor()};
  }

 private:
  static Grid grid_of(const at::Tensor& scale, int64_t zero_point, int64_t low, int64_t high) {
    const float step = scale.item<float>();
    return {step, 1 / step, float(zero_point), float(low), float(high)};
  }

  static double backward_alone(const at::Tensor& x, const at::Tensor& gradient, const Grid& grid,
                               at::Tensor& to_input) {
    const float* in = x.data_ptr<float>();
    const float* from = gradient.data_ptr<float>();
    float* out = to_input.data_ptr<float>();
    const std::int64_t count = x.numel();
    for (std::int64_t i = 0; i < count; ++i) {
      const float q = grid.rounded(grid.steps(in[i]));
      out[i] = q >= grid.low && q <= grid.high ? from[i] : 0.0F;
    }
    return 0;
  }

  static double backward_with_scale(const at::Tensor& x, const at::Tensor& gradient,
                                    const Grid& grid, at::Tensor& to_input) {
    const float* in = x.data_ptr<float>();
    const float* from = gradient.data_ptr<float>();
    float* out = to_input.data_ptr<float>();
    const std::int64_t count = x.numel();
    double to_scale = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const float steps = grid.steps(in[i]);
      const float q = grid.rounded(steps);
      const float clamped = std::clamp(q, grid.low, grid.high);
      const bool inside = clamped == q;
      out[i] = inside ? from[i] : 0.0F;
      to_scale += double(from[i]) * (clamped - grid.zero_point - (inside ? steps : 0.0F));
    }
    return to_scale;
  }
};

/// In whole-tensor operations, for other devices than the processor.
at::Tensor fake_quantize_anywhere(const at::Tensor& x, const at::Tensor& scale, int zero_point,
                                  int low, int high) {
  // What rounds into the range is not clamped: half a step more on either side.
  const at::Tensor steps = at::clamp(x / scale, low - zero_point - 0.5, high - zero_point + 0.5);
  const at::Tensor q = at::clamp(at::round(steps), low - zero_point, high - zero_point);
  return (steps + (q - steps).detach()) * scale;
}

}  // namespace

at::Tensor fake_quantize(const at::Tensor& x, const at::Tensor& scale, int zero_point, int low,
                         int high) {
  if (!x.device().is_cpu()) return fake_quantize_anywhere(x, scale, zero_point, low, high);
  return FakeQuantize::apply(x, scale, zero_point, low, high);
}

at::Tensor fake_quantize_weights(const at::Tensor& weights, const at::Tensor& scale, int limit) {
  return fake_quantize_anywhere(weights, scale, 0, -limit, limit);
}

}  // namespace assay
