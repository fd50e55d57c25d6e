// Reference addition of two tensors of one shape.
#pragma once

#include "targets/runtime/reference/requantize.hpp"

namespace assay::kernels {

/// clamp((m_1 * a + m_2 * b + b') >> R), element by element; may run in place.
template <class L>
void add_reference(const std::int8_t* first, const std::int8_t* second, std::int8_t* out, void*) {
  constexpr int elements = L::out_height * L::out_width * L::out_channels;
  for (int i = 0; i < elements; ++i)
    out[i] = clamp<L>((L::multiplier[0] * first[i] + L::multiplier[1] * second[i] + L::bias[0]) >>
                      L::output_shift);
}

}  // namespace assay::kernels
