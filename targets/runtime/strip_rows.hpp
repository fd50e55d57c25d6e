// The rows of a tensor of which only some exist, for layers that run strip by strip. For each such
// tensor the generator emits a struct R:
//   using Element                 std::int8_t, std::int16_t or float
//   int height, row               rows of the whole tensor, elements of a row
//   int lead, rows                strip s makes the rows [lead + s * rows, lead + (s + 1) * rows)
//   int kept                      rows before them that are still needed
//   Element outside               what rows outside the tensor hold
// The buffer holds the kept rows, then those the strip makes. Portable.
#pragma once

#include "targets/runtime/copy.hpp"
#include "targets/runtime/layer.hpp"

namespace assay::kernels {

/// Whether the strip makes rows inside the tensor.
template <class R>
ASSAY_INLINE bool makes_rows(int strip) {
  const int first = R::lead + strip * R::rows;
  return first < R::height && first + R::rows > 0;
}

/// Calls a kernel in a function of its own, as it is called for a whole layer: as a part of the
/// loop over the strips it would share registers with all the others, and take up to twice as long.
template <class Call>
__attribute__((noinline)) void call_apart(Call call) {
  call();
}

template <class R>
inline constexpr int row_bytes = R::row* static_cast<int>(sizeof(typename R::Element));

/// Moves the rows that are still needed before those that this strip makes; call first.
template <class R>
void keep_rows(typename R::Element* buffer) {
  constexpr int apart = R::rows * row_bytes<R>;
  if constexpr (R::kept > 0)
    copy_forward<apart % 4 == 0>(buffer, reinterpret_cast<std::int8_t*>(buffer) + apart,
                                 R::kept * row_bytes<R>);
}

/// Fills those of the rows a strip made that lie outside the tensor; call last.
template <class R>
void fill_outside(typename R::Element* buffer, int strip) {
  const int first = R::lead + strip * R::rows;
  if (first >= 0 && first + R::rows <= R::height) return;
  typename R::Element* row = buffer + R::kept * R::row;
  for (int y = first; y < first + R::rows; ++y, row += R::row)
    if (y < 0 || y >= R::height)
      for (int i = 0; i < R::row; ++i)
        row[i] = R::outside;
}

/// Makes a strip's rows of a tensor that exists as a whole.
template <class R>
void copy_rows(const typename R::Element* whole, typename R::Element* buffer, int strip) {
  keep_rows<R>(buffer);
  const int first = R::lead + strip * R::rows, end = first + R::rows;
  const int top = first < 0 ? 0 : first, bottom = end > R::height ? R::height : end;
  if (top < bottom)
    copy_forward<row_bytes<R> % 4 == 0>(buffer + (R::kept + top - first) * R::row,
                                        whole + top * R::row, (bottom - top) * row_bytes<R>);
  fill_outside<R>(buffer, strip);
}

}  // namespace assay::kernels
