// The inputs of a dense layer in blocks of four.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"

namespace assay::kernels::neon {

template <class L>
inline constexpr int dense_inputs = L::in_height* L::in_width* L::in_channels;

/// The inputs, where reading whole blocks of four of them stays within them; else a copy. The
/// weights of what is read beyond are zero.
template <class L>
ASSAY_INLINE const std::int8_t* whole_blocks(const std::int8_t* in, void* scratch) {
  if constexpr (dense_inputs<L> % 4 == 0) return in;
  __builtin_memcpy(scratch, in, dense_inputs<L>);
  return static_cast<const std::int8_t*>(scratch);
}

}  // namespace assay::kernels::neon
