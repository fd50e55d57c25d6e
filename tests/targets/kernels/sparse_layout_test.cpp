// The tile of the sparse kernels against the definition of a convolution: which input column a cell
// stands for, and that no cell is read outside the input unless the tile says so.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "targets/runtime/dsp/sparse_layout.hpp"

namespace assay::test {
namespace {

using namespace kernels::dsp;

/// Rows of every width up to 20 with kernels, strides and padding up to 5, 4 and 2.
std::vector<ConvGeometry> geometries() {
  std::vector<ConvGeometry> all;
  for (int width = 1; width <= 20; ++width)
    for (int kernel = 1; kernel <= 5; ++kernel)
      for (int stride = 1; stride <= 4; ++stride)
        for (int pad = 0; pad <= 2 && pad < kernel; ++pad)
          if (width + 2 * pad >= kernel)
            all.push_back({4, width, 5, 4, (width + 2 * pad - kernel) / stride + 1, 1, kernel, 1,
                           stride, 0, pad});
  return all;
}

std::string describe(const ConvGeometry& g, const SparseTile& tile) {
  return fmt::format("width {} kernel {} stride {} pad {}, {} words a cell, {} pixels", g.in_width,
                     g.kernel_width, g.stride_width, g.pad_left, tile.cell_words, tile.pixels);
}

/// The columns whose inputs a cell of one channel or group holds, relative to the left edge of the
/// first pixel's window, in the order that sparse_layout.hpp describes.
std::vector<int> columns_of_cell(const SparseTile& tile, int cell) {
  const int phase = cell / tile.phase_slots, slot = cell % tile.phase_slots;
  const int first = phase + slot * tile.stride;
  if (tile.cell_words == 2) return {first};
  return {first, first + tile.pixels / 2 * tile.stride};
}

TEST(SparseTile, GivesEveryPixelTheColumnOfItsTap) {
  for (const ConvGeometry& g : geometries())
    for (const SparseForm form : {SparseForm::blocks, SparseForm::single, SparseForm::bitmap}) {
      const SparseTile tile = conv_tile(g, form);
      SCOPED_TRACE(describe(g, tile));
      std::set<int> cells;
      for (int kx = 0; kx < g.kernel_width; ++kx) {
        const int cell = tile.cell(0, kx, 0);
        EXPECT_TRUE(cells.insert(cell).second) << "two taps read cell " << cell;
        const int in_cell = tile.cell_words == 2 ? tile.pixels : tile.pixels / 2;
        for (int j = 0; j < in_cell; ++j) {
          ASSERT_LT(cell + j, tile.slots);
          const std::vector<int> columns = columns_of_cell(tile, cell + j);
          EXPECT_EQ(columns[0], j * g.stride_width + kx);
          if (columns.size() == 2) {
            EXPECT_EQ(columns[1], (j + tile.pixels / 2) * g.stride_width + kx);
          }
        }
      }
    }
}

TEST(SparseTile, SaysWhetherItReachesOutsideTheInput) {
  int outside = 0, inside = 0;
  for (const ConvGeometry& g : geometries())
    for (const SparseForm form : {SparseForm::blocks, SparseForm::single}) {
      const SparseTile tile = conv_tile(g, form);
      const int last = std::max(g.out_width - tile.pixels, 0) * g.stride_width - g.pad_left;
      bool reaches = false;
      for (int cell = 0; cell < tile.slots; ++cell)
        for (const int column : columns_of_cell(tile, cell))
          reaches = reaches || column - g.pad_left < 0 || last + column >= g.in_width;
      EXPECT_EQ(tile_reaches_outside(g, tile), reaches) << describe(g, tile);
      ++(reaches ? outside : inside);
    }
  EXPECT_GT(outside, 100);
  EXPECT_GT(inside, 100);
}

TEST(SparseTile, StaysWithinFourKilobytesWhereTwoPixelsDo) {
  for (const int channels : {16, 64, 128, 256, 512}) {
    const ConvGeometry pointwise = without_rows({8, 8, channels, 8, 8, 1, 1, 1, 1, 0, 0});
    const ConvGeometry three = {8, 8, channels, 8, 8, 3, 3, 1, 1, 1, 1};
    for (const SparseForm form : {SparseForm::blocks, SparseForm::single, SparseForm::bitmap})
      for (const ConvGeometry& g : {pointwise, three})
        if (tile_bytes(g, SparseTile(g, form, 2)) <= 4096) {
          EXPECT_LE(tile_bytes(g, conv_tile(g, form)), 4096) << channels;
        }
  }
}

}  // namespace
}  // namespace assay::test
