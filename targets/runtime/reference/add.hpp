// Reference addition of two tensors of one shape.
#pragma once

#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// clamp((m_1 * a + m_2 * b + b') >> R), element by element; may run in place.
template <class L, class T>
void add_reference(const T* first, const T* second, T* out, void*) {
  constexpr int elements = L::out_height * L::out_width * L::out_channels;
  for (int i = 0; i < elements; ++i)
    out[i] = clamp<L, T>((Product<T>(L::multiplier[0]) * first[i] +
                          Product<T>(L::multiplier[1]) * second[i] + L::bias[0]) >>
                         L::output_shift);
}

}  // namespace assay::kernels
