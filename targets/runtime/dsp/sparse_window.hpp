// Fills the tile of the sparse convolutions with the inputs of neighbouring output pixels; see
// sparse_layout.hpp.
#pragma once

#include "targets/runtime/dsp/simd.hpp"
#include "targets/runtime/dsp/sparse_layout.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/outside_pixel.hpp"

namespace assay::kernels::dsp {

/// The layer as the sparse convolutions see it.
template <class L>
inline constexpr ConvGeometry sparse_geometry = without_rows(
    {L::in_height, L::in_width, L::in_channels, L::out_height, L::out_width, L::kernel_height,
     L::kernel_width, L::stride_height, L::stride_width, L::pad_top, L::pad_left});

template <class L, SparseForm form>
inline constexpr SparseTile sparse_tile = conv_tile(sparse_geometry<L>, form);

/// What a distance in the stream counts in.
template <class L, SparseForm form>
inline constexpr int unit_bytes = sparse_tile<L, form>.unit_bytes();

template <class L, SparseForm form>
inline constexpr bool pads_tile = tile_reaches_outside(sparse_geometry<L>, sparse_tile<L, form>);

template <class L, SparseForm form>
struct SparseScratch : OutsidePixel<L::in_channels, pads_tile<L, form>> {
  std::uint32_t tile[sparse_tile<L, form>.words()];
};

/// Halves of two words side by side.
ASSAY_INLINE std::uint32_t bottom_halves(std::uint32_t a, std::uint32_t b) {
  std::uint32_t result;
  asm("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
ASSAY_INLINE std::uint32_t top_halves(std::uint32_t a, std::uint32_t b) {
  std::uint32_t result;
  asm("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(b), "r"(a));
  return result;
}

/// The cells of all channels of one column, four channels a cell; the lanes beyond the last channel
/// meet weights of zero.
template <int channels, int slots>
ASSAY_INLINE void expand_column(const std::int8_t* from, std::uint32_t* to) {
#pragma GCC unroll 4
  for (int i = 0; i < channels / 4; ++i, from += 4, to += 2 * slots) {
    const std::uint32_t word = load_word(from);
    to[0] = sxtb16(word);
    to[1] = sxtb16_odd(word);
  }
  constexpr int left = channels % 4;
  const auto lane = [from](int i) { return static_cast<std::uint32_t>(from[i]); };
  if constexpr (left > 0) to[0] = left == 3 ? bottom_halves(lane(0), lane(2)) : lane(0);
  if constexpr (left > 1) to[1] = lane(1);
}

/// The cells of all channels of two columns, a channel a cell.
template <int channels, int slots>
ASSAY_INLINE void expand_two_columns(const std::int8_t* low, const std::int8_t* high,
                                     std::uint32_t* to) {
#pragma GCC unroll 2
  for (int i = 0; i < channels / 4; ++i, low += 4, high += 4, to += 4 * slots) {
    const std::uint32_t a = load_word(low), b = load_word(high);
    const std::uint32_t a_even = sxtb16(a), a_odd = sxtb16_odd(a);
    const std::uint32_t b_even = sxtb16(b), b_odd = sxtb16_odd(b);
    to[0] = bottom_halves(a_even, b_even);
    to[slots] = bottom_halves(a_odd, b_odd);
    to[2 * slots] = top_halves(a_even, b_even);
    to[3 * slots] = top_halves(a_odd, b_odd);
  }
  for (int i = 0; i < channels % 4; ++i, to += slots)
    *to = bottom_halves(static_cast<std::uint32_t>(low[i]), static_cast<std::uint32_t>(high[i]));
}

/// One kernel row of the tile for the output pixels from `out_x` on.
template <class L, SparseForm form>
ASSAY_INLINE void gather_tile_row(const std::int8_t* row, int out_x, const std::int8_t* outside,
                                  std::uint32_t* to) {
  constexpr ConvGeometry g = sparse_geometry<L>;
  constexpr SparseTile tile = sparse_tile<L, form>;
  const auto column = [&](int x) {
    if (!pads_tile<L, form>) return row + x * g.channels;
    return row && x >= 0 && x < g.in_width ? row + x * g.channels : outside;
  };
  for (int phase = 0; phase < g.stride_width && phase < g.kernel_width; ++phase) {
    int x = out_x * g.stride_width - g.pad_left + phase;
    std::uint32_t* at = to + phase * tile.phase_slots * tile.cell_words;
    for (int slot = 0; slot < tile.phase_slots; ++slot, x += g.stride_width) {
      if constexpr (in_blocks(form))
        expand_column<g.channels, tile.slots>(column(x), at);
      else
        expand_two_columns<g.channels, tile.slots>(
            column(x), column(x + tile.pixels / 2 * g.stride_width), at);
      at += tile.cell_words;
    }
  }
}

/// Copies words from `from` down to `to`; eight in two instructions.
template <int words>
ASSAY_INLINE void move_down(std::uint32_t* to, const std::uint32_t* from) {
  constexpr int at_once = words / 8 * 8;
  if constexpr (at_once > 0) {
    const std::uint32_t* const end = from + at_once;
    asm volatile(
        "1:\n\t"
        "ldmia %[from]!, {r3-r6, r8-r10, r12}\n\t"
        "stmia %[to]!, {r3-r6, r8-r10, r12}\n\t"
        "cmp %[from], %[end]\n\t"
        "bne 1b"
        : [from] "+r"(from), [to] "+r"(to)
        : [end] "r"(end)
        : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc", "memory");
  }
  for (int i = 0; i < words % 8; ++i)
    to[i] = from[i];
}

/// Makes the tile for the pixels of output row out_y from out_x on out of that of the row before;
/// for row 0 from nothing.
template <class L, SparseForm form>
ASSAY_INLINE void gather_tile(const std::int8_t* in, int out_y, int out_x,
                              const std::int8_t* outside, std::uint32_t* to) {
  constexpr ConvGeometry g = sparse_geometry<L>;
  constexpr SparseTile tile = sparse_tile<L, form>;
  constexpr int row_words = tile.words() / tile.rows;
  constexpr int shared = tile.rows > g.stride_height ? tile.rows - g.stride_height : 0;
  if (shared > 0 && out_y > 0) move_down<shared * row_words>(to, to + g.stride_height * row_words);
  for (int ky = out_y > 0 ? shared : 0; ky < tile.rows; ++ky) {
    const int y = out_y * g.stride_height - g.pad_top + ky;
    const bool inside = y >= 0 && y < g.in_height;
    gather_tile_row<L, form>(inside ? in + y * g.in_width * g.channels : nullptr, out_x, outside,
                             to + ky * row_words);
  }
}

}  // namespace assay::kernels::dsp
