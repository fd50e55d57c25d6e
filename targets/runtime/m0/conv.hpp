// Convolution for Armv6-M: one output channel at four output pixels at a time, two pixels to a
// MULS; see layout.hpp. L has, besides the members of layer.hpp:
//   std::int8_t filters[]      weights, [output channel][input], filled up to whole iterations
//   std::int32_t channels[]    b' and m of each output channel
#pragma once

#include "targets/runtime/m0/layout.hpp"
#include "targets/runtime/m0/requantize.hpp"
#include "targets/runtime/window_rows.hpp"

namespace assay::kernels {

namespace m0 {

template <class L>
inline constexpr ConvLayout conv_layout{L::kernel_height, L::kernel_width, L::in_channels};

/// Inputs of four output pixels: for each pair of inputs k, k + 1 the words {pixels 0 and 1 of k,
/// of k + 1, pixels 2 and 3 of k, of k + 1}.
template <class L>
struct ConvScratch {
  std::int32_t columns[conv_layout<L>.loop.steps][4];
  WindowRows<L, 4> rows;
};

/// Sums of one channel at four pixels.
struct FourSums {
  std::int32_t pixel[4];
};

// Two pixels, two inputs in memory at r7, weights in r2 and r3. `both` gathers
// sum + sum' * 2^16, modulo 2^32; `high` gathers sum': ASRS leaves bit 15, the sign of the low
// product sum, in the carry, and ADCS adds back the 1 that it borrowed from the high one.
#define ASSAY_M0_TWO_PIXELS(both, high) \
  "ldmia r7!, {r0, r1}\n\t"             \
  "muls r0, r2, r0\n\t"                 \
  "muls r1, r3, r1\n\t"                 \
  "adds r0, r0, r1\n\t"                 \
  "add " both                           \
  ", r0\n\t"                            \
  "asrs r0, r0, #16\n\t"                \
  "adcs " high ", r0\n\t"

/// bias + the products of one filter with the columns up to `end`, at four pixels; advances
/// `filter` over whole iterations. 18 instructions for 8 multiply-accumulates. Registers: r4, r5,
/// r8, r9 sums, r6 and r7 pointers, r10 end, r0 and r1 products, r2 and r3 weights.
template <int unroll>
ASSAY_INLINE FourSums filter_four_pixels(const std::int8_t*& filter, const std::int32_t* columns,
                                         const std::int32_t* end, std::int32_t bias) {
  register std::int32_t r0 asm("r0");
  register std::int32_t r1 asm("r1");
  register const std::int32_t* r2 asm("r2") = end;
  register std::int32_t r4 asm("r4") = bias;
  register std::int32_t r5 asm("r5");
  register const std::int8_t* r6 asm("r6") = filter;
  register const std::int32_t* r7 asm("r7") = columns;
  asm volatile(
      ".syntax unified\n\t"
      "mov r10, r2\n\t"
      "lsls r0, r4, #16\n\t"
      "adds r0, r0, r4\n\t"
      "mov r8, r0\n\t"
      "mov r9, r0\n\t"
      "mov r5, r4\n"
      "1:\n\t"
      ".set assay_offset, 0\n\t"
      ".rept %c[unroll]\n\t"
      "ldrh r3, [r6, #assay_offset]\n\t"
      ".set assay_offset, assay_offset + 2\n\t"
      "sxtb r2, r3\n\t"
      "lsls r3, r3, #16\n\t"
      "asrs r3, r3, #24\n\t"
      ASSAY_M0_TWO_PIXELS("r8", "r4")
      ASSAY_M0_TWO_PIXELS("r9", "r5")
      ".endr\n\t"
      "adds r6, r6, #assay_offset\n\t"
      "cmp r7, r10\n\t"
      "beq 2f\n\t"
      "b 1b\n"  // out of reach for a conditional branch
      "2:\n\t"
      "mov r0, r8\n\t"
      "mov r1, r9" ASSAY_LINES_192
      : "=r"(r0), "=r"(r1), "+r"(r2), "+r"(r4), "=r"(r5), "+r"(r6), "+r"(r7)
      : [unroll] "i"(unroll)
      : "r3", "r8", "r9", "r10", "cc", "memory");
  filter = r6;
  // The high sum sits 16 bits up in r0 and r1: unsigned, because it may be shifted out.
  const auto low = [](std::int32_t both, std::int32_t high) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(both) -
                                     (static_cast<std::uint32_t>(high) << 16));
  };
  return {{low(r0, r4), r4, low(r1, r5), r5}};
}

#undef ASSAY_M0_TWO_PIXELS

/// One kernel row of two pixels, from input `first` of the window on.
template <int row>
ASSAY_INLINE void pack_two_pixels(const std::int8_t* a, const std::int8_t* b,
                                  std::int32_t (*columns)[4], int first) {
  std::int32_t* to = columns[first / 2];
  int i = 0;
  if (first % 2 != 0) {
    to[1] = a[0] + b[0] * 65536;
    to += 4;
    i = 1;
  }
  for (; i + 1 < row; i += 2, to += 4) {
    to[0] = a[i] + b[i] * 65536;
    to[1] = a[i + 1] + b[i + 1] * 65536;
  }
  if (i < row) to[0] = a[i] + b[i] * 65536;
}

/// Fills scratch.columns for the output pixels first .. first + 3 (row by row; pixels beyond the
/// last repeat the last).
template <class L>
ASSAY_INLINE void gather_columns(const std::int8_t* in, int first, ConvScratch<L>& scratch) {
  constexpr ConvLayout layout = conv_layout<L>;
  constexpr int last = L::out_height * L::out_width - 1;
  int y = first / L::out_width, x = first % L::out_width;
  for (int pair = 0; pair < 2; ++pair) {
    int from_y[2], from_x[2];
    for (int j = 0; j < 2; ++j) {
      from_y[j] = y;
      from_x[j] = x;
      if (last < 3 && first + 2 * pair + j >= last) continue;
      if (++x == L::out_width) x = 0, ++y;
    }
    for (int ky = 0; ky < layout.kernel_height; ++ky) {
      const std::int8_t* a = scratch.rows.find(in, from_y[0], from_x[0], ky, 0);
      const std::int8_t* b = scratch.rows.find(in, from_y[1], from_x[1], ky, 1);
      auto* columns = reinterpret_cast<std::int32_t(*)[4]>(&scratch.columns[0][2 * pair]);
      pack_two_pixels<layout.row>(a, b, columns, ky * layout.row);
    }
  }
}

/// All channels of four pixels, of which the first `pixels` are written.
template <class L, int pixels>
ASSAY_INLINE void convolve_four(const std::int32_t (*columns)[4], std::int8_t* out) {
  constexpr ConvLayout layout = conv_layout<L>;
  const std::int8_t* filter = L::filters;
  const std::int32_t* channel = L::channels;
  for (int c = 0; c < L::out_channels; ++c, channel += 2, ++out) {
    const FourSums sums = filter_four_pixels<layout.loop.unroll>(
        filter, columns[0], columns[layout.loop.steps], channel[0]);
    const std::int32_t multiplier = channel[1];
    for (int j = 0; j < pixels; ++j)
      out[j * L::out_channels] = requantize<L>(sums.pixel[j], multiplier);
  }
}

}  // namespace m0

template <class L>
void conv_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  auto& scratch = *static_cast<m0::ConvScratch<L>*>(memory);
  constexpr int pixels = L::out_height * L::out_width;
  scratch.rows.initialize();
  if constexpr (pixels < 4) {
    m0::gather_columns<L>(in, 0, scratch);
    m0::convolve_four<L, pixels>(scratch.columns, out);
  } else {
    // The last four pixels may have been written in part: the same values again.
    for (int first = 0; first < pixels; first += 4) {
      if (first > pixels - 4) first = pixels - 4;
      m0::gather_columns<L>(in, first, scratch);
      m0::convolve_four<L, 4>(scratch.columns, out + first * L::out_channels);
    }
  }
}

}  // namespace assay::kernels
