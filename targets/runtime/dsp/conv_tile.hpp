// Convolution with packed weights for cores with SMLAD. The inputs of up to sixteen output pixels
// are expanded into scratch memory; then the weights of each pair of channels are decoded once for
// all of these pixels, so that the work per multiply-accumulate is that of unpacked weights and
// hardly more. See tile_layout.hpp for the weight format. L has, besides the members of layer.hpp:
//   packed[]                 weights; std::uint32_t, for codebooks std::uint8_t
//   std::int8_t values[]     codebooks only: what an index stands for
//   std::int32_t channels[]  a ChannelPair for each pair of output channels
#pragma once

#include "targets/runtime/dsp/unpack.hpp"
#include "targets/runtime/dsp/window.hpp"

namespace assay::kernels {

namespace dsp {

/// Accumulators of two channels at four pixels.
struct TileSums {
  std::int32_t channel[2][4];
};

/// `sums` = `start` + the products of all steps from `columns` to `end`; returns the columns after
/// them. Eleven instructions for sixteen multiply-accumulates. Registers: 8 sums, 2 pointers, a
/// word of weights of either channel, 2 words of activations: all fourteen, so `end` waits on the
/// stack. They are named because GCC does not find an allocation of fourteen operands everywhere.
template <int unroll>
ASSAY_INLINE void multiply_two_by_four(const std::uint32_t* weights, const std::uint32_t* columns,
                                       const std::uint32_t* end, const TileSums& start,
                                       TileSums& sums) {
  register const std::uint32_t* r0 asm("r0") = weights;
  register const std::uint32_t* r1 asm("r1") = columns;
  register const std::uint32_t* r2 asm("r2") = end;
  register TileSums* r3 asm("r3") = &sums;
  register const TileSums* r12 asm("r12") = &start;
  asm volatile(
      "push {r2, r3}\n\t"
      "ldmia r12, {r4-r11}\n"
      "1:\n\t"
      ".rept %c[unroll]\n\t"
      "ldrd r2, r3, [r0], #8\n\t"
      "ldrd r12, lr, [r1], #8\n\t"
      "smlad r4, r2, r12, r4\n\t"
      "smlad r5, r2, lr, r5\n\t"
      "smlad r8, r3, r12, r8\n\t"
      "smlad r9, r3, lr, r9\n\t"
      "ldrd r12, lr, [r1], #8\n\t"
      "smlad r6, r2, r12, r6\n\t"
      "smlad r7, r2, lr, r7\n\t"
      "smlad r10, r3, r12, r10\n\t"
      "smlad r11, r3, lr, r11\n\t"
      ".endr\n\t"
      "ldr r2, [sp]\n\t"
      "cmp r1, r2\n\t"
      "bne 1b\n\t"
      "pop {r2, r3}\n\t"
      "stmia r3, {r4-r11}" ASSAY_LINES_192
      : "+r"(r0), "+r"(r1), "+r"(r12)
      : "r"(r2), "r"(r3), [unroll] "i"(unroll)
      : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "lr", "cc", "memory");
}

template <class L, class Decoder>
struct ConvTile {
  using Rows = WindowRows<L, 4>;
  static constexpr int pixels = L::out_height * L::out_width;
  static constexpr int all_groups = (pixels + 3) / 4;
  static constexpr TileLayout layout{L::kernel_height, L::kernel_width, L::in_channels,
                                     pixels,           sizeof(Rows),    Decoder::form};
  static constexpr int steps = layout.loop.steps;
  static constexpr int scale = Decoder::form.scale_bits();
  using Columns = std::uint32_t[steps][4];

  /// The parts of scratch memory.
  struct Scratch {
    Columns* columns;        ///< [group of the tile]
    std::uint32_t* table;    ///< of the decoder
    std::uint32_t* weights;  ///< decoded ones, once the columns are full
    Rows* rows;              ///< at the same place, while columns are filled
  };
  static_assert(alignof(Rows) <= 4);

  static ASSAY_INLINE Scratch divide(void* memory) {
    auto* columns = static_cast<Columns*>(memory);
    auto* table = reinterpret_cast<std::uint32_t*>(columns + layout.groups);
    std::uint32_t* shared = table + layout.form.table_bytes() / 4;
    return {columns, table, shared, reinterpret_cast<Rows*>(shared)};
  }

  /// Whether scaled sums may start at the scaled b': b' may be as large as 2^31, but the sums
  /// themselves are far below it.
  static constexpr bool starts_at_bias() {
    const std::int64_t products = std::int64_t{128} * (1 << (Decoder::form.bits - 1)) *
                                  L::kernel_height * L::kernel_width * L::in_channels;
    std::int64_t largest = 0;  // of all biases, and of the multipliers, which are below 2^15
    for (const std::int64_t value : L::channels) {
      if (value > largest) largest = value;
      if (-value > largest) largest = -value;
    }
    return scale == 0 || largest + products < (std::int64_t{1} << (31 - scale));
  }

  /// The first of the four pixels of a group: the last group overlaps the one before it.
  static ASSAY_INLINE int first_pixel(int group) {
    constexpr bool overlaps = pixels > 4 && pixels % 4 != 0;
    return overlaps && 4 * group > pixels - 4 ? pixels - 4 : 4 * group;
  }

  /// Expands the windows of a group; pixels beyond a last one below four repeat it.
  static ASSAY_INLINE void gather(const std::int8_t* in, int group, Columns& columns, Rows& rows) {
    constexpr ConvLayout conv = layout.conv;
    int y[4], x[4];
    for (int j = 0; j < 4; ++j) {
      const int pixel = pixels < 4 && j >= pixels ? pixels - 1 : first_pixel(group) + j;
      y[j] = pixel / L::out_width;
      x[j] = pixel - y[j] * L::out_width;
    }
    for (int ky = 0; ky < conv.kernel_height; ++ky) {
      const std::int8_t* from[4];
      for (int j = 0; j < 4; ++j)
        from[j] = rows.find(in, y[j], x[j], ky, j);
      if constexpr (conv.flat) {
        for (int j = 0; j < 4; ++j)
          for (int i = 0; i < conv.row; ++i)
            put_input(columns, j, ky * conv.row + i, from[j][i]);
      } else {
        expand_row<conv.row>(from, columns + ky * (conv.row_stride / 2));
      }
    }
  }

  /// Writes two channels of a group.
  static ASSAY_INLINE void store(const TileSums& sums, const ChannelPair& channels,
                                 std::int8_t* out) {
    // Copies, because for all the compiler knows `out` may point to them.
    const TileSums sum = sums;
    const ChannelPair channel = channels;
    const auto finish = [&](int c, int j) {
      if constexpr (starts_at_bias())
        return requantize<L, scale>(sum.channel[c][j], channel.multiplier[c]);
      else
        return requantize<L>((sum.channel[c][j] >> scale) + channel.bias[c], channel.multiplier[c]);
    };
#pragma GCC unroll 4
    for (int j = 0; j < (pixels < 4 ? pixels : 4); ++j, out += L::out_channels) {
      out[0] = finish(0, j);
      if constexpr (L::out_channels > 1) out[1] = finish(1, j);
    }
  }

  /// Decodes the weights of `count` steps.
  static ASSAY_INLINE void decode(const std::uint8_t*& packed, int count, const Scratch& scratch) {
    std::uint32_t* decoded = scratch.weights;
#pragma GCC unroll 2
    for (int i = 0; i < count; i += layout.form.block_steps())
      Decoder::block(packed, decoded, scratch.table);
  }

  /// Adds the products of the decoded weights of steps `from` to `to` and a group's columns.
  static ASSAY_INLINE void multiply(const Columns& columns, int from, int to,
                                    const Scratch& scratch, const TileSums& start, TileSums& sums) {
    multiply_two_by_four<layout.loop.unroll>(scratch.weights, columns[from], columns[to], start,
                                             sums);
  }

  /// A pair of channels of `count` groups from `group` on; advances `packed` to the next pair.
  static ASSAY_INLINE void convolve_pair(const std::uint8_t*& packed, const ChannelPair& channels,
                                         const Scratch& scratch, int group, int count,
                                         std::int8_t* out) {
    TileSums start;
    for (int c = 0; c < 2; ++c)
      for (int j = 0; j < 4; ++j)
        start.channel[c][j] = starts_at_bias() ? channels.bias[c] * (1 << scale) : 0;
    const auto store_group = [&](int g, const TileSums& sums) {
      store(sums, channels, out + first_pixel(group + g) * L::out_channels);
    };
    if constexpr (layout.part >= steps) {
      decode(packed, steps, scratch);
      for (int g = 0; g < count; ++g) {
        TileSums sums;
        multiply(scratch.columns[g], 0, steps, scratch, start, sums);
        store_group(g, sums);
      }
    } else {
      TileSums sums[layout.groups];
      for (TileSums& group_sums : sums)
        group_sums = start;
      for (int from = 0; from < steps; from += layout.part) {
        const int to = from + layout.part < steps ? from + layout.part : steps;
        decode(packed, to - from, scratch);
        for (int g = 0; g < count; ++g)
          multiply(scratch.columns[g], from, to, scratch, sums[g], sums[g]);
      }
      for (int g = 0; g < count; ++g)
        store_group(g, sums[g]);
    }
  }

  static ASSAY_INLINE void run(const std::int8_t* in, std::int8_t* out, const Scratch& scratch) {
    Decoder::prepare(scratch.table);
    // A codebook need not hold the zero that would make the weight of a filler of no matter.
    constexpr bool has_fillers = layout.inputs() != L::kernel_height * layout.conv.row;
    if constexpr (Decoder::form.codebook && has_fillers) {
      for (std::uint32_t* word = scratch.columns[0][0]; word != scratch.table; ++word)
        *word = 0;
      // Inputs are put there as halfwords; to the compiler these are other objects.
      asm volatile("" ::: "memory");
    }
    for (int group = 0; group < all_groups; group += layout.groups) {
      const int count = group + layout.groups <= all_groups ? layout.groups : all_groups - group;
      scratch.rows->initialize();
      for (int g = 0; g < count; ++g)
        gather(in, group + g, scratch.columns[g], *scratch.rows);
      const auto* packed = reinterpret_cast<const std::uint8_t*>(L::packed);
      const auto* channels = reinterpret_cast<const ChannelPair*>(L::channels);
      for (int pair = 0; pair < (L::out_channels + 1) / 2; ++pair, ++channels)
        convolve_pair(packed, *channels, scratch, group, count,
                      out + conv_channel(pair, 0, L::out_channels));
    }
  }
};

template <class L, class Decoder>
ASSAY_INLINE void convolve_tiles(const std::int8_t* in, std::int8_t* out, void* memory) {
  using Tile = ConvTile<L, Decoder>;
  Tile::run(in, out, Tile::divide(opaque(memory)));
}

}  // namespace dsp

template <class L>
void conv_tile_int8(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::convolve_tiles<L, dsp::Lanes<8>>(in, out, scratch);
}

template <class L>
void conv_tile_int4(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::convolve_tiles<L, dsp::Lanes<4>>(in, out, scratch);
}

template <class L>
void conv_tile_ternary(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::convolve_tiles<L, dsp::Lanes<2>>(in, out, scratch);
}

template <class L>
void conv_tile_codebook16(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::convolve_tiles<L, dsp::PairCodebook<L>>(in, out, scratch);
}

template <class L>
void conv_tile_codebook(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::convolve_tiles<L, dsp::Codebook<L>>(in, out, scratch);
}

}  // namespace assay::kernels
