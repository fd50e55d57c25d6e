// A function of one element, as a table. L has, besides the members of layer.hpp, table[]: of int8
// every result, that of -128 first; of int16 those of every 128th element, -32768 first and 32768,
// just beyond the last, at the end.
#pragma once

#include "targets/runtime/layer.hpp"

namespace assay::kernels {

template <class L>
inline std::int8_t look_up(std::int8_t q) {
  return L::table[q + 128];
}

/// Between two points of the table on the line that joins them, rounded to nearest, halves upwards.
template <class L>
inline std::int16_t look_up(std::int16_t q) {
  constexpr int step_bits = 7, zero = 256;
  const int point = (q >> step_bits) + zero, between = q & ((1 << step_bits) - 1);
  const std::int32_t rise = L::table[point + 1] - L::table[point];
  return static_cast<std::int16_t>(L::table[point] +
                                   ((rise * between + (1 << (step_bits - 1))) >> step_bits));
}

/// May run in place.
template <class L, class T>
void lookup_reference(const T* in, T* out, void*) {
  constexpr int elements = L::out_height * L::out_width * L::out_channels;
  for (int i = 0; i < elements; ++i)
    out[i] = look_up<L>(in[i]);
}

}  // namespace assay::kernels
