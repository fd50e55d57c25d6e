// Functions of one float32 that are the same bits on every processor: built from single-precision
// additions, products and divisions alone, no library's exp() among them. Against exact arithmetic
// they are off by less than 2^-22 of the larger of 1 and the result.
#pragma once

#include <cstdint>

#include "targets/runtime/float/arithmetic.hpp"

namespace assay::kernels {

/// e^x, 0 below the smallest normal number; x at most 88.
inline float exponential(float x) {
  constexpr float per_octave = 1.44269504f;  // 1 / ln 2
  // ln 2 in two parts; the first has 10 bits, so that its product with an octave is exact.
  constexpr float ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;
  if (x < -87.0f) return 0;
  const float scaled = x * per_octave;
  const auto octave = static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5f : scaled + 0.5f);
  const auto whole = static_cast<float>(octave);
  const float r = (x - whole * ln2_high) - whole * ln2_low;
  // Taylor's polynomial: |r| <= ln 2 / 2, where the eighth term is below 2^-27.
  constexpr float terms[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  float sum = 1.0f / 5040;
  for (const float term : terms)
    sum = sum * r + term;
  return sum * float_from_bits(static_cast<std::uint32_t>(octave + 127) << 23);
}

inline float sigmoid(float x) {
  const float small = exponential(x < 0 ? x : -x);
  return (x < 0 ? small : 1.0f) / (1.0f + small);
}

inline float hyperbolic_tangent(float x) {
  const float small = exponential(2 * (x < 0 ? x : -x));
  const float size = (1.0f - small) / (1.0f + small);
  return x < 0 ? -size : size;
}

inline float hard_sigmoid(float x, float alpha, float beta) {
  const float value = alpha * x + beta;
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/// In the order of ElementFunction::Kind.
enum class FloatFunction { sigmoid, tanh, hard_sigmoid, hard_swish, leaky_relu, elu };

inline float apply(FloatFunction function, float x, float alpha, float beta) {
  switch (function) {
    case FloatFunction::sigmoid:
      return sigmoid(x);
    case FloatFunction::tanh:
      return hyperbolic_tangent(x);
    case FloatFunction::hard_sigmoid:
      return hard_sigmoid(x, alpha, beta);
    case FloatFunction::hard_swish:
      return x * hard_sigmoid(x, 1.0f / 6, 0.5f);
    case FloatFunction::leaky_relu:
      return x < 0 ? alpha * x : x;
    case FloatFunction::elu:
      return x < 0 ? alpha * (exponential(x) - 1.0f) : x;
  }
  return x;
}

/// L::function[0] is a FloatFunction, L::attributes[] alpha and beta; may run in place.
template <class L>
void function_float(const float* in, float* out, void*) {
  constexpr int elements = L::out_height * L::out_width * L::out_channels;
  for (int i = 0; i < elements; ++i)
    out[i] = limit<L>(apply(static_cast<FloatFunction>(L::function[0]), in[i], L::attributes[0],
                            L::attributes[1]));
}

}  // namespace assay::kernels
