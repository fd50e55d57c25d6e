// Convolution for Armv6-M whose windows are too long to be gathered into scratch memory at once: as
// conv.hpp, four pixels at a time, but a window in parts; see PartsLayout in layout.hpp. L has,
// besides the members of layer.hpp:
//   std::int8_t filters[]      weights, [output channel][part][input], parts filled up to whole
//                              iterations
//   std::int32_t channels[]    b' and m of each output channel
#pragma once

#include "targets/runtime/m0/conv.hpp"

namespace assay::kernels {

namespace m0 {

template <class L>
inline constexpr PartsLayout parts_layout{L::kernel_height * L::kernel_width, L::in_channels,
                                          L::out_channels};

template <class L>
struct PartsScratch {
  static constexpr PartsLayout layout = parts_layout<L>;
  std::int32_t columns[layout.loop.steps][4];
  OpenSums sums[layout.block];
  std::int8_t outside[PartsLayout::outside_bytes(L::in_channels)];
};

/// Sums of `count` channels from `first` on before anything is added.
template <class L>
ASSAY_INLINE void start_sums(OpenSums* sums, int first, int count) {
  const std::int32_t* bias = L::channels + 2 * first;
  for (int c = 0; c < count; ++c, bias += 2)
    sums[c] = open_sums(*bias);
}

/// Adds the products of the gathered part, number `part` of the window.
template <class L>
__attribute__((noinline)) void add_part(PartsScratch<L>& scratch, int first, int count, int part) {
  constexpr PartsLayout layout = parts_layout<L>;
  const std::int8_t* filter = L::filters + (first * layout.parts + part) * layout.inputs();
  const std::int32_t* const end = scratch.columns[0] + 4 * layout.loop.steps;
  for (OpenSums* sums = scratch.sums; sums != scratch.sums + count; ++sums) {
    const std::int32_t* columns = scratch.columns[0];
    *sums = multiply_bytes<layout.loop.unroll>(filter, columns, end, *sums);
    filter += layout.parts * layout.inputs();
  }
}

/// The sums of `count` channels from `first` on, to four pixels from `out` on.
template <class L>
__attribute__((noinline)) void put_block(const OpenSums* sums, int first, int count,
                                         std::int8_t* out) {
  constexpr int pixels = L::out_height * L::out_width;
  const std::int32_t* multiplier = L::channels + 2 * first + 1;
  out += first;
  for (int c = 0; c < count; ++c, multiplier += 2, ++out) {
    if constexpr (pixels < 4)
      put_few<L, pixels>(split_sums(sums[c]), *multiplier, out);
    else
      put_four<L>(split_sums(sums[c]), *multiplier, out);
  }
}

/// All parts of the windows at `corners`, for `count` channels from `first` on.
template <class L>
ASSAY_INLINE void add_window(const WindowPacker<L>& windows,
                             const typename WindowPacker<L>::Corners& corners,
                             PartsScratch<L>& scratch, int first, int count) {
  constexpr PartsLayout layout = parts_layout<L>;
  constexpr int rest = L::in_channels % layout.channels;
  int part = 0, gathered = 0;
  start_sums<L>(scratch.sums, first, count);
  for (int ky = 0; ky < L::kernel_height; ++ky)
    for (int kx = 0; kx < L::kernel_width; ++kx)
      for (int channel = 0; channel < L::in_channels; channel += layout.channels) {
        if (rest == 0 || channel + layout.channels <= L::in_channels)
          windows.template gather_position<layout.channels>(corners, ky, kx, channel,
                                                            scratch.columns, gathered);
        else
          windows.template gather_position<rest>(corners, ky, kx, channel, scratch.columns,
                                                 gathered);
        gathered += layout.channels;
        if (gathered < layout.positions * layout.channels) continue;
        add_part<L>(scratch, first, count, part++);
        gathered = 0;
      }
}

}  // namespace m0

template <class L>
void conv_parts_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  using Scratch = m0::PartsScratch<L>;
  constexpr int pixels = L::out_height * L::out_width;
  auto& scratch = *static_cast<Scratch*>(memory);
  m0::WindowPacker<L> windows(in, scratch.outside);
  for (int first_pixel = 0; first_pixel < pixels; first_pixel += 4) {
    const auto corners = windows.next();
    // As the windows are, the last four pixels are whole: some are written again.
    const int pixel = pixels > 4 && first_pixel > pixels - 4 ? pixels - 4 : first_pixel;
    for (int first = 0; first < L::out_channels; first += Scratch::layout.block) {
      const int left = L::out_channels - first;
      const int count = left < Scratch::layout.block ? left : Scratch::layout.block;
      m0::add_window<L>(windows, corners, scratch, first, count);
      m0::put_block<L>(scratch.sums, first, count, out + pixel * L::out_channels);
    }
  }
}

}  // namespace assay::kernels
