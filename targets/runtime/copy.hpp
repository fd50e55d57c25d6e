// Copies of bytes between tensors. Portable.
#pragma once

#include <cstdint>

#include "targets/runtime/inline.hpp"

namespace assay::kernels {

/// Copies one Unit and moves both pointers behind it. The barrier keeps the compiler from calling
/// memmove, which takes single bytes in newlib's small library.
template <class Unit>
ASSAY_INLINE void copy_unit(std::int8_t*& to, const std::int8_t*& from) {
  Unit unit;
  __builtin_memcpy(&unit, __builtin_assume_aligned(from, alignof(Unit)), sizeof unit);
  __builtin_memcpy(__builtin_assume_aligned(to, alignof(Unit)), &unit, sizeof unit);
  asm volatile("" ::: "memory");
  from += sizeof unit;
  to += sizeof unit;
}

/// Four words at once, each in a register.
ASSAY_INLINE void copy_four_words(std::int8_t*& to, const std::int8_t*& from) {
  const auto* source = static_cast<const std::int8_t*>(__builtin_assume_aligned(from, 4));
  auto* target = static_cast<std::int8_t*>(__builtin_assume_aligned(to, 4));
  std::uint32_t a, b, c, d;
  __builtin_memcpy(&a, source, 4);
  __builtin_memcpy(&b, source + 4, 4);
  __builtin_memcpy(&c, source + 8, 4);
  __builtin_memcpy(&d, source + 12, 4);
  __builtin_memcpy(target, &a, 4);
  __builtin_memcpy(target + 4, &b, 4);
  __builtin_memcpy(target + 8, &c, 4);
  __builtin_memcpy(target + 12, &d, 4);
  asm volatile("" ::: "memory");
  from += 16;
  to += 16;
}

/// Copies `count` bytes to a lower address or elsewhere; `words`: both ends begin at whole words.
template <bool words>
ASSAY_INLINE void copy_forward(void* to, const void* from, int count) {
  auto* target = static_cast<std::int8_t*>(to);
  const auto* source = static_cast<const std::int8_t*>(from);
  for (; words && count >= 16; count -= 16)
    copy_four_words(target, source);
  for (; words && count >= 4; count -= 4)
    copy_unit<std::uint32_t>(target, source);
  for (; count > 0; --count)
    copy_unit<std::int8_t>(target, source);
}

}  // namespace assay::kernels
