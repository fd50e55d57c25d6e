// How the sparse DSP kernels (cores with SMLAD) lay out weights and activations. Shared by the
// packer on the host and the kernels on the device, so that both compute the same numbers from one
// shape. Freestanding.
//
// A kernel works on a few output pixels side by side and expands the inputs of all their windows to
// int16 in a tile, each input once although neighbouring windows share it. The tile is made of
// cells of one kind:
//   four_channels   four channels of one column, (a0, a2) and (a1, a3) as SXTB16 expands them: what
//                   a 1x4 block of weights meets in two SMLADs a pixel
//   two_pixels      one channel of two columns, those of pixels j and j + pixels / 2: what a single
//                   weight meets in two SMLAxy
// and ordered [kernel row][channel or group of four][phase][slot]. With a stride s the columns are
// sorted by their remainder modulo s, the phase, so that neighbouring pixels always read
// neighbouring cells: pixel j of the tap kx reads slot kx / s + j of phase kx % s.
//
// The non-zero weights of an output channel come in the order of their cells, as a stream of bytes:
// the distance from the cell before, 0 to 127 units of the tile, and the weight or block of
// weights; -1 ends a channel. A longer way goes over cells with zero weights. A bitmap has a bit
// for each weight instead and goes through the cells of one tap of the window after another: the
// bits of up to 32 channels, then their weights.
//
// Numbered blocks are for layers of at most 16 values, zero among them: three bytes,
//   twice the distance in cells, plus 1 for the last block of a channel
//   the numbers of w0 (low half) and w2
//   the numbers of w1 (low half) and w3
// A byte of two numbers chooses their word from a table of all pairs. A channel without weights has
// a block of zeros.
//
// A dense layer meets each weight once. Its blocks and bitmaps are those of a window of one pixel
// that has all inputs as channels; single weights come in fours, four weights and their four
// distances, 0 to 255 inputs, so that a word loads four of a kind.
#pragma once

#include "targets/runtime/outside_pixel.hpp"
#include "targets/runtime/scratch.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels::dsp {

/// What of a convolution the tile depends on.
struct ConvGeometry {
  int in_height;
  int in_width;
  int channels;  ///< of the input
  int out_height;
  int out_width;
  int kernel_height;
  int kernel_width;
  int stride_height;
  int stride_width;
  int pad_top;
  int pad_left;
};

/// A convolution that looks at single pixels has no rows: all of them in one leave no short tiles.
constexpr ConvGeometry without_rows(ConvGeometry g) {
  const bool pointwise = g.kernel_height == 1 && g.kernel_width == 1 && g.stride_height == 1 &&
                         g.stride_width == 1 && g.in_height == g.out_height &&
                         g.in_width == g.out_width;
  if (!pointwise) return g;
  g.in_width = g.out_width = g.in_height * g.in_width;
  g.in_height = g.out_height = 1;
  return g;
}

enum class SparseForm {
  blocks,           ///< 1x4 blocks with their distances, in a tile of four_channels cells
  numbered_blocks,  ///< the same, their weights as numbers of values
  single,           ///< weights with their distances, in a tile of two_pixels cells
  bitmap,           ///< bits and weights, in a tile of two_pixels cells
};

/// Whether the weights come in blocks of four.
constexpr bool in_blocks(SparseForm form) {
  return form == SparseForm::blocks || form == SparseForm::numbered_blocks;
}

/// The longest distances that streams and fours can say.
constexpr int longest_distance = 127;
constexpr int longest_distance_of_fours = 255;

/// Words of the table of all pairs of 16 values, which numbers of weights are looked up in.
inline constexpr int pair_table_words = 256;

/// Weights of a bitmap that share a word of bits: neighbouring channels of one tap.
constexpr int bitmap_run = 32;
/// Bytes that hold the bits of `weights` weights, at most bitmap_run.
constexpr int bitmap_bytes(int weights) {
  return (weights + 7) / 8;
}

struct SparseTile {
  int pixels;       ///< output pixels that a tile serves
  int cell_words;   ///< of four bytes
  int depth;        ///< cells one above another: channels, or groups of four
  int stride;       ///< along the row
  int phase_slots;  ///< cells from one phase to the next
  int slots;        ///< cells from one channel or group to the next
  int rows;         ///< kernel rows
  int unit_cells;   ///< cells that a distance counts in
  int table_words;  ///< of the table before the tile

  /// For `pixels` output pixels: 8, 4 or 2, or 1 with blocks.
  constexpr SparseTile(const ConvGeometry& g, SparseForm form, int pixels_)
      : pixels(pixels_),
        cell_words(in_blocks(form) ? 2 : 1),
        depth(in_blocks(form) ? (g.channels + 3) / 4 : g.channels),
        stride(g.stride_width),
        phase_slots((in_blocks(form) ? pixels : pixels / 2) +
                    (g.kernel_width - 1) / g.stride_width),
        slots(phase_slots * (g.stride_width < g.kernel_width ? g.stride_width : g.kernel_width)),
        rows(g.kernel_height),
        unit_cells(g.kernel_width == 1 ? slots : 1),
        table_words(form == SparseForm::numbered_blocks ? pair_table_words : 0) {
    if (form != SparseForm::bitmap) return;
    // The number of a bit is scaled to an address by a shift.
    int power = 1;
    while (power < slots)
      power *= 2;
    slots = power;
  }

  /// Words of the tile.
  constexpr int words() const { return rows * depth * slots * cell_words; }
  /// Cell of tap (ky, kx) for the first pixel, `level` channels or groups up.
  constexpr int cell(int ky, int kx, int level) const {
    return (ky * depth + level) * slots + kx % stride * phase_slots + kx / stride;
  }
  constexpr int unit_bytes() const { return 4 * cell_words * unit_cells; }
};

/// Whether a tile has cells outside the input: padding, pixels beyond the end of a short row, or
/// cells that no tap reads because the last tap is not of the last phase.
constexpr bool tile_reaches_outside(const ConvGeometry& g, const SparseTile& tile) {
  const int out_width = g.out_width < tile.pixels ? tile.pixels : g.out_width;
  const int phases = g.stride_width < g.kernel_width ? g.stride_width : g.kernel_width;
  const int columns = (g.kernel_width - 1) / g.stride_width * g.stride_width + phases;
  return reaches_outside(g.in_width, out_width, columns, g.stride_width, g.pad_left) ||
         reaches_outside(g.in_height, g.out_height, g.kernel_height, g.stride_height, g.pad_top);
}

/// Scratch for a tile with its table and a pixel of the padding.
constexpr int tile_bytes(const ConvGeometry& g, const SparseTile& tile) {
  return 4 * (tile.table_words + tile.words()) +
         outside_pixel_bytes(g.channels, tile_reaches_outside(g, tile));
}

/// Eight pixels at a time: a load of weights serves twice as many as with four. Four, where rows of
/// the output are so short that most of the eight would be wasted; two, where a
/// window is so large that four would not fit scratch memory.
constexpr SparseTile conv_tile(const ConvGeometry& g, SparseForm form) {
  const SparseTile eight(g, form, 8), four(g, form, 4), two(g, form, 2);
  const int instructions_of_eight = (g.out_width + 7) / 8 * 5;  // a block takes 30 and 18
  const int instructions_of_four = (g.out_width + 3) / 4 * 3;
  if (instructions_of_eight <= instructions_of_four && tile_bytes(g, eight) <= scratch_limit)
    return eight;
  return tile_bytes(g, four) <= scratch_limit ? four : two;
}

/// The inputs of a dense layer as the tile of a single pixel, for blocks.
constexpr SparseTile dense_tile(int inputs, SparseForm form) {
  return {{1, 1, inputs, 1, 1, 1, 1, 1, 1, 0, 0}, form, 1};
}

constexpr int log2_of(int power) {
  return power <= 1 ? 0 : 1 + log2_of(power / 2);
}

}  // namespace assay::kernels::dsp
