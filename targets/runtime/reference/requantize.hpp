// Requantization of ARITHMETIC.md for the reference kernels, over int8 or int16 tensors: T is their
// element. Portable, freestanding C++17.
#pragma once

#include <cstdint>

#include "targets/runtime/layer.hpp"

namespace assay::kernels {

template <bool wide>
struct SumOf {
  using Type = std::int32_t;
};
template <>
struct SumOf<true> {
  using Type = std::int64_t;
};

/// Holds acc + b' of a layer with weights: 64 bits where int16 inputs need a P.
template <class L, class T>
using Accumulator = typename SumOf<(sizeof(T) > 1 && L::accumulator_shift > 0)>::Type;

/// Holds what multipliers make of elements and of sums: 64 bits over int16 tensors.
template <class T>
using Product = typename SumOf<(sizeof(T) > 1)>::Type;

template <class L, class T>
inline T clamp(Product<T> value) {
  if (value < L::clamp_min) return L::clamp_min;
  if (value > L::clamp_max) return L::clamp_max;
  return static_cast<T>(value);
}

/// Convolution, depthwise, dense: clamp((((acc + b') >> P) * m) >> R).
template <class L, class T>
inline T requantize(Accumulator<L, T> accumulator, int channel) {
  const auto shifted =
      static_cast<std::int32_t>((accumulator + L::bias[channel]) >> L::accumulator_shift);
  const Product<T> scaled = Product<T>(shifted) * L::multiplier[channel];
  return clamp<L, T>(scaled >> L::output_shift);
}

/// Others: clamp((m * value + b') >> R) for the multiplier and bias of a number.
template <class L, class T>
inline T rescale(std::int32_t value, int index) {
  return clamp<L, T>((Product<T>(L::multiplier[index]) * value + L::bias[index]) >>
                     L::output_shift);
}

}  // namespace assay::kernels
