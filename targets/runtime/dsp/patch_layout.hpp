// How conv.hpp cuts a convolution into patches, and which inputs meet in a step. Shared by the
// packer on the host and the kernel on the device.
//
// A patch is a piece of the input that serves width x height outputs, expanded to int16 once and
// transposed: for each row and each word (two channels of a pixel), that word of all columns lies
// side by side. So four outputs in a row find their four words next to each other for every
// position of the kernel, and nothing is copied per output. With a stride of s, columns 0, s, 2s
// ... come first, then 1, s + 1, 2s + 1 ... (a phase each), which keeps them side by side.
//
// A group is the steps of one kernel row and one word: one for each column of the kernel. With a
// single channel a word holds two neighbouring pixels instead, and a step serves two columns.
#pragma once

#include "targets/runtime/dsp/layout.hpp"
#include "targets/runtime/outside_pixel.hpp"
#include "targets/runtime/scratch.hpp"
#include "targets/runtime/window_rows.hpp"

namespace assay::kernels::dsp {

/// What a convolution computes on.
struct ConvShape {
  int in_height, in_width, channels;
  int out_height, out_width, out_channels;
  int kernel_height, kernel_width;
  int stride_height, stride_width;
  int pad_top, pad_left;

  constexpr int outputs() const { return out_height * out_width; }

  /// Windows of one pixel that follow each other: the image may as well be a single row.
  constexpr bool is_pointwise() const {
    return kernel_height * kernel_width == 1 && stride_height == 1 && stride_width == 1 &&
           in_width == out_width && in_height == out_height;
  }
  constexpr ConvShape as_row() const {
    ConvShape row = *this;
    row.in_width = row.out_width = outputs();
    row.in_height = row.out_height = 1;
    return row;
  }
};

template <class L>
inline constexpr ConvShape conv_shape{L::in_height,     L::in_width,     L::in_channels,
                                      L::out_height,    L::out_width,    L::out_channels,
                                      L::kernel_height, L::kernel_width, L::stride_height,
                                      L::stride_width,  L::pad_top,      L::pad_left};

constexpr int ceil_divide(int value, int divisor) {
  return (value + divisor - 1) / divisor;
}

/// Channel in half `half` of word `word` of a pixel, or -1: groups of four as in layout.hpp, then
/// what is left in as few words as hold it.
constexpr int patch_channel(int word, int half, int channels) {
  const bool in_group = word < channels / 4 * 2;
  const int left = channels % 4;
  const int apart = in_group || left == 3 ? 2 : 1;
  const int channel = word / 2 * 4 + word % 2 + half * apart;
  return channel < channels ? channel : -1;
}

struct PatchLayout {
  ConvShape shape;  ///< a row where it is pointwise
  int words;        ///< of a pixel
  int columns_per_word;
  int width;  ///< outputs of a patch
  int height;
  int phases;  ///< of the columns

  /// The largest patches of `preferred_words`, or those of `least_width` x `least_height` outputs
  /// where these are larger already.
  constexpr explicit PatchLayout(const ConvShape& of, int least_width = 4, int least_height = 1,
                                 int preferred_words = 512)
      : shape(of.is_pointwise() ? of.as_row() : of),
        words((of.channels + 1) / 2),
        columns_per_word(of.channels == 1 ? 2 : 1),
        width(least_width),
        height(least_height),
        phases(of.kernel_width < of.stride_width ? of.kernel_width : of.stride_width) {
    choose_size(preferred_words);
  }

  constexpr int rows() const { return (height - 1) * shape.stride_height + shape.kernel_height; }
  /// Columns of one phase, an even number because they are expanded in twos.
  constexpr int phase() const {
    const int columns = (width - 1) * shape.stride_width + shape.kernel_width;
    return round_up(ceil_divide(columns, shape.stride_width), 2);
  }
  /// Words from one word of a row to the next.
  constexpr int stride() const { return phases * phase(); }
  constexpr int size() const { return rows() * words * stride(); }
  /// Steps of a group; step t begins with kernel column t * columns_per_word.
  constexpr int taps() const { return ceil_divide(shape.kernel_width, columns_per_word); }
  constexpr int groups() const { return shape.kernel_height * words; }

  /// Whether a patch has pixels outside the input: padding, or columns that only fill up a phase.
  constexpr bool has_outside() const {
    const ConvShape& s = shape;
    const int last = (s.out_width - width) * s.stride_width - s.pad_left + phases - 1 +
                     (phase() - 1) * s.stride_width + columns_per_word - 1;
    return s.pad_left > 0 || last >= s.in_width ||
           reaches_outside(s.in_height, s.out_height, s.kernel_height, s.stride_height, s.pad_top);
  }

  /// Four outputs side by side, and distances that the instructions can say.
  constexpr bool possible() const {
    return shape.out_width >= 4 && shape.kernel_width <= 16 && stride() < 250;
  }
  /// Fours of outputs, with those that overlap the last ones of a row.
  constexpr int fours() const { return shape.out_height * ceil_divide(shape.out_width, 4); }
  /// Pixels expanded for the whole layer.
  constexpr int expansions() const {
    return ceil_divide(shape.out_width, width) * ceil_divide(shape.out_height, height) * rows() *
           stride();
  }

 private:
  constexpr void choose_size(int preferred_words) {
    PatchLayout best = *this;
    const int least_width = width, least_height = height;
    if (shape.out_width < least_width || shape.out_height < least_height) return;
    for (height = least_height; height < shape.out_height + least_height; height += least_height)
      for (width = least_width; width < shape.out_width + least_width; width += least_width) {
        if (height > shape.out_height) height = shape.out_height;
        if (width > shape.out_width) width = shape.out_width;
        if (size() > preferred_words || stride() >= 250) break;
        if (expansions() < best.expansions()) best.width = width, best.height = height;
      }
    width = best.width;
    height = best.height;
  }
};

/// The way a convolution takes: patches, or columns gathered for four outputs anywhere
/// (ConvLayout), where rows of outputs are short or windows small. Of two that fit into scratch
/// memory the faster one, else the smaller one.
struct ConvPlan {
  PatchLayout patch;
  ConvLayout columns;
  bool by_patches;

  constexpr explicit ConvPlan(const ConvShape& shape)
      : patch(shape),
        columns(shape.kernel_height, shape.kernel_width, shape.channels),
        by_patches(prefers_patches()) {}

  /// Scratch memory.
  constexpr int bytes() const { return by_patches ? patch_bytes() : columns_bytes(); }

 private:
  constexpr int patch_bytes() const {
    return 4 * patch.size() + outside_pixel_bytes(patch.shape.channels, patch.has_outside());
  }
  constexpr int columns_bytes() const {
    const ConvShape& s = patch.shape;
    return 16 * columns.loop.steps +
           window_rows_bytes(
               columns.row, 4,
               reaches_outside(s.in_width, s.out_width, s.kernel_width, s.stride_width, s.pad_left),
               reaches_outside(s.in_height, s.out_height, s.kernel_height, s.stride_height,
                               s.pad_top));
  }
  constexpr bool prefers_patches() const {
    if (!patch.possible()) return false;
    const int by_patch = patch_bytes(), by_columns = columns_bytes();
    if (by_patch > scratch_limit || by_columns > scratch_limit) return by_patch < by_columns;
    return patch_cost() < columns_cost();
  }

  // Estimates in instructions, as counted on Cortex-M4.
  constexpr int pair_cost(int steps) const {
    return ceil_divide(patch.shape.out_channels, 2) * (12 * steps + 48);
  }
  constexpr int patch_cost() const {
    return patch.fours() * (pair_cost(patch.groups() * patch.taps()) + 40) +
           patch.expansions() * (2 * patch.words + 14);
  }
  constexpr int columns_cost() const {
    const int gather =
        columns.flat ? 40 * columns.kernel_height * columns.row : 20 * columns.loop.steps;
    return ceil_divide(patch.shape.outputs(), 4) *
           (pair_cost(columns.loop.steps) + gather + 120 * columns.kernel_height);
  }
};

}  // namespace assay::kernels::dsp
