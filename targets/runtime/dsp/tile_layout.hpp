// How conv_tile.hpp lays out packed weights and its scratch memory. Shared by the packer on the
// host and the kernel on the device.
//
// Weights are packed pair of channels by pair (conv_channel of layout.hpp), and within a pair by
// groups of four inputs. A group's eight weights make four words of two int16 when decoded, one for
// each step and channel:
//   (i0, i2) of channel 0, (i0, i2) of channel 1, (i1, i3) of channel 0, (i1, i3) of channel 1
//
// Lanes: a decoded word of channel 0 and one of channel 1 are the even and the odd bytes of one
// "lane word"; SXTB16 takes them apart. With fewer bits than eight, 8 / bits lane words share a
// word of flash: the first has the highest bits of each byte, and decoding leaves them there, so
// that weights come out times 2^(8 - bits).
//
// Codebook: the eight weights are indices of index_bits bits each, one after the other in the order
// above, from the lowest bit of the first byte up. A group is index_bits bytes.
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/scratch.hpp"
#include "targets/runtime/window_rows.hpp"

namespace assay::kernels::dsp {

/// Bits of an index into `values` different values; at least four.
constexpr int index_bits(int values) {
  int bits = 4;
  while (1 << bits < values)
    ++bits;
  return bits;
}

/// What a weight takes in flash.
struct PackedForm {
  int bits;
  bool codebook;

  /// Decoded weights are 2^scale_bits times the real ones.
  constexpr int scale_bits() const { return codebook ? 0 : 8 - bits; }
  /// Steps that are decoded together: those of a group, or of the groups that share a word.
  constexpr int block_steps() const { return !codebook && bits == 2 ? 4 : 2; }
  /// Bytes of flash for a block.
  constexpr int block_bytes() const { return block_steps() * bits / 2; }
  /// Bytes of RAM that decoding needs: the word of every pair of values.
  constexpr int table_bytes() const { return codebook && bits == 4 ? 256 * 4 : 0; }
};

/// Bytes of scratch that a tile may take where the window is small enough.
inline constexpr int tile_scratch = 3584;

/// A tile: output pixels whose inputs lie expanded in scratch memory while the weights of every
/// pair of channels are decoded once for all of them.
struct TileLayout {
  ConvLayout conv;  ///< where the inputs of a window lie; its loop is not used
  PackedForm form;
  Unrolled loop;   ///< steps of a window
  int rows_bytes;  ///< of WindowRows
  int groups = 0;  ///< of four pixels in a tile
  int part = 0;    ///< steps whose weights are decoded at a time: a whole number of iterations

  /// `output_pixels` of the layer; `window_rows` bytes to find windows with.
  constexpr TileLayout(int height, int width, int channels, int output_pixels, int window_rows,
                       PackedForm packed)
      : conv(height, width, channels),
        form(packed),
        loop(plan(conv, packed)),
        rows_bytes(window_rows) {
    const int all = (output_pixels + 3) / 4;
    for (int most = 4; most >= 2; --most)
      for (int parts = 1; parts <= 3; ++parts) {
        choose(most < all ? most : all, parts);
        if (bytes() <= tile_scratch) return;
      }
    // A large window. With four pixels decoding costs a third of the time; the weights of 32 steps
    // do not add much to the columns.
    for (int most = all < 2 ? all : 2; most >= 1; --most) {
      choose(most, (loop.steps + 31) / 32);
      if (bytes() <= scratch_limit) return;
    }
  }

  /// Of inputs and weights with what fills a window up.
  constexpr int inputs() const { return 2 * loop.steps; }
  /// Window rows are found before weights are decoded, and share their memory.
  constexpr int shared_bytes() const { return part * 8 > rows_bytes ? part * 8 : rows_bytes; }
  constexpr int bytes() const {
    return groups * loop.steps * 16 + form.table_bytes() + shared_bytes();
  }

 private:
  static constexpr Unrolled plan(const ConvLayout& conv, PackedForm form) {
    const int block = form.block_steps();
    const int steps = round_up(conv.kernel_height * conv.row_stride, 4) / 2;
    const Unrolled blocks = plan_unroll(round_up(steps, block) / block, 16 / block, 11 * block);
    return {blocks.steps * block, blocks.unroll * block};
  }
  constexpr void choose(int tile_groups, int parts) {
    groups = tile_groups;
    const int iterations = loop.steps / loop.unroll;
    part = (iterations + parts - 1) / parts * loop.unroll;
  }
};

}  // namespace assay::kernels::dsp
