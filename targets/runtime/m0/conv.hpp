// Convolution for Armv6-M: one output channel at four output pixels at a time; see layout.hpp. The
// pixels of a tile are gathered first; then the filter of each channel is unpacked to words once
// and passes over all groups of the tile. L has, besides the members of layer.hpp:
//   std::int8_t filters[]      weights, [output channel][input], filled up to whole iterations
//   std::int32_t channels[]    b' and m of each output channel
#pragma once

#include "targets/runtime/m0/columns.hpp"
#include "targets/runtime/m0/four_pixels.hpp"
#include "targets/runtime/m0/requantize.hpp"
#include "targets/runtime/m0/unpack.hpp"

namespace assay::kernels {

namespace m0 {

template <class L>
inline constexpr ConvLayout conv_layout{L::kernel_height, L::kernel_width, L::in_channels};

template <class L, int unpacked_bytes, int limit>
struct ConvScratch {
  static constexpr ConvTile tile{L::out_height * L::out_width, conv_layout<L>, L::in_channels,
                                 unpacked_bytes, limit};
  std::int32_t columns[tile.groups][conv_layout<L>.loop.steps][4];
  std::int32_t filter[unpacked_bytes > 0 ? unpacked_bytes / 4 : 2];
  std::int8_t outside[round_up(L::in_channels, 8)];
};

/// Zeroes the columns that no window fills: a filter may have anything there.
template <class L, class Scratch>
ASSAY_INLINE void clear_unused(Scratch& scratch) {
  constexpr ConvLayout layout = conv_layout<L>;
  for (auto& group : scratch.columns)
    for (int step = layout.filter / 2; step < layout.loop.steps; ++step)
      for (std::int32_t& word : group[step])
        word = 0;
}

// One sum, with the multiplier in r3, to the address in r7, which advances by r6.
#define ASSAY_M0_PUT(sum)   \
  ASSAY_M0_SCALE(sum, "r3") \
  ASSAY_M0_CLAMP("r2", sum) \
  "strb r2, [r7]\n\t"       \
  "adds r7, r7, r6\n\t"

/// One channel of four pixels; returns where the next four go.
template <class L>
ASSAY_INLINE std::int8_t* put_four(const FourSums& sums, std::int32_t multiplier,
                                   std::int8_t* out) {
  register std::int32_t r0 asm("r0") = sums.low0;
  register std::int32_t r1 asm("r1") = sums.low1;
  register std::int32_t r3 asm("r3") = multiplier;
  register std::int32_t r4 asm("r4") = sums.high0;
  register std::int32_t r5 asm("r5") = sums.high1;
  register std::int32_t r6 asm("r6") = L::out_channels;
  register std::int8_t* r7 asm("r7") = out;
  asm volatile(".syntax unified\n\t" ASSAY_M0_PUT("r0") ASSAY_M0_PUT("r1") ASSAY_M0_PUT("r4")
                   ASSAY_M0_PUT("r5")
               : "+r"(r0), "+r"(r1), "+r"(r4), "+r"(r5), "+r"(r7)
               : "r"(r3), "r"(r6), ASSAY_M0_REQUANTIZE_OPERANDS(L)
               : "r2", "cc", "memory");
  return r7;
}

/// The first `pixels` of less than four.
template <class L, int pixels>
ASSAY_INLINE void put_few(const FourSums& sums, std::int32_t multiplier, std::int8_t* out) {
  const std::int32_t in_order[] = {sums.low0, sums.low1, sums.high0};
  for (int j = 0; j < pixels; ++j)
    out[j * L::out_channels] = requantize<L>(in_order[j], multiplier);
}

#undef ASSAY_M0_PUT

/// One channel of groups of four pixels, from `columns` up to `end`.
template <class L, class Filters>
ASSAY_INLINE void convolve_channel(Filters& filters, const std::int32_t* columns,
                                   const std::int32_t* end, const std::int32_t* channel,
                                   std::int8_t* to) {
  constexpr int pixels = L::out_height * L::out_width;
  if constexpr (Filters::are_words && pixels >= 4) {
    constexpr Unrolled loop = conv_layout<L>.loop;
    const std::int32_t* const filter = filters.unpacked();
    convolve_groups<L, loop.unroll>(filter, filter + 2 * loop.steps, columns, end, channel, to);
  } else {
    while (columns != end) {
      const FourSums sums = filters.multiply(columns, channel[0]);
      if constexpr (pixels < 4)
        put_few<L, pixels>(sums, channel[1], to);
      else
        to = put_four<L>(sums, channel[1], to);
    }
  }
}

/// All channels of `groups` groups of four pixels, the first of them at `first`.
template <class L, class Filters, class Scratch>
__attribute__((noinline)) void convolve_tile(Scratch& scratch, int groups, int first,
                                             std::int8_t* out) {
  constexpr int pixels = L::out_height * L::out_width;
  // The last four pixels may have been written in part: the same values again.
  const bool overlaps = pixels > 4 && pixels % 4 != 0 && first + 4 * groups > pixels;
  std::int8_t* last = out + (pixels > 4 ? pixels - 4 : 0) * L::out_channels;
  out += first * L::out_channels;
  const std::int32_t* channel = L::channels;
  Filters filters(scratch.filter);
  constexpr int group = sizeof scratch.columns[0] / sizeof(std::int32_t);
  const std::int32_t* const begin = scratch.columns[0][0];
  const std::int32_t* const end = begin + groups * group;
  const std::int32_t* const whole_end = overlaps && groups > 1 ? end - group : end;
  for (int c = 0; c < L::out_channels; ++c, channel += 2, ++out, ++last) {
    filters.next();
    const std::int32_t* columns = begin;
    const std::int32_t* stop = whole_end;
    for (std::int8_t* to = overlaps && groups == 1 ? last : out;; to = last) {
      convolve_channel<L>(filters, columns, stop, channel, to);
      if (pixels % 4 == 0 || stop == end) break;
      columns = stop;
      stop = end;
    }
  }
}

/// Convolution with any form of filters in `limit` bytes of scratch. `Filters` unpacks them one
/// after the other:
///   unpacked_bytes             scratch that a filter needs, a multiple of 8
///   Filters(std::int32_t*)     starts at the first one; the argument is that scratch
///   void next()                unpacks the next one
///   FourSums multiply(const std::int32_t*& columns, std::int32_t bias)
///                              its sums over one group; advances to the next group
///   are_words                  it is one word for each weight, whose address unpacked() returns
template <class L, class Filters, int limit = scratch_limit>
ASSAY_INLINE void convolve(const std::int8_t* in, std::int8_t* out, void* memory) {
  using Scratch = ConvScratch<L, Filters::unpacked_bytes, limit>;
  constexpr int pixels = L::out_height * L::out_width;
  auto& scratch = *static_cast<Scratch*>(memory);
  WindowPacker<L> windows(in, scratch.outside);
  clear_unused<L>(scratch);
  for (int first = 0; first < pixels; first += 4 * Scratch::tile.groups) {
    int groups = 0;
    for (int pixel = first; groups < Scratch::tile.groups && pixel < pixels; pixel += 4, ++groups)
      windows.gather(scratch.columns[groups]);
    convolve_tile<L, Filters>(scratch, groups, first, out);
  }
}

/// Filters with a byte for each weight.
template <class L, int limit>
class Int8Filters {
 public:
  static constexpr int words = conv_layout<L>.inputs();
  static constexpr int unpacked_bytes =
      int8_unpacked_bytes(L::out_height * L::out_width, conv_layout<L>, L::in_channels, limit);
  static constexpr bool are_words = unpacked_bytes > 0;

  explicit Int8Filters(std::int32_t* unpacked) : unpacked_(unpacked) {}
  ASSAY_INLINE void next() {
    filter_ = next_;
    if constexpr (are_words)
      unpack_bytes<words>(next_, unpacked_);
    else
      next_ += words;
  }
  const std::int32_t* unpacked() const { return unpacked_; }
  ASSAY_INLINE FourSums multiply(const std::int32_t*& columns, std::int32_t bias) const {
    constexpr Unrolled loop = conv_layout<L>.loop;
    return split_sums(
        multiply_bytes<loop.unroll>(filter_, columns, columns + 4 * loop.steps, open_sums(bias)));
  }

 private:
  const std::int8_t* filter_ = nullptr;
  const std::int8_t* next_ = L::filters;
  std::int32_t* unpacked_;
};

}  // namespace m0

template <class L>
void conv_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  m0::convolve<L, m0::Int8Filters<L, scratch_limit>>(in, out, memory);
}

/// The same with tiles of more pixels.
template <class L>
void conv_large_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  constexpr int limit = m0::large_scratch_limit;
  m0::convolve<L, m0::Int8Filters<L, limit>, limit>(in, out, memory);
}

}  // namespace assay::kernels
