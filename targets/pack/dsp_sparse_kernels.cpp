// Rows and weight packing of the kernels that skip zero weights, for cores with SMLAD; tile and
// streams are described in targets/runtime/dsp/sparse_layout.hpp. They take any weights: dense ones
// merely cost more than in a dense kernel.
#include <algorithm>

#include "targets/pack/numbered_blocks.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/dsp/sparse_layout.hpp"

namespace assay {
namespace {

namespace dsp = kernels::dsp;
using dsp::SparseForm;

/// What the tile depends on; a dense layer is one window over all its inputs.
dsp::ConvGeometry geometry_of(const LayerView& view) {
  const Window& w = view.layer.window;
  if (view.layer.op == IntegerOp::dense)
    return {1, 1, static_cast<int>(view.input.size()), 1, 1, 1, 1, 1, 1, 0, 0};
  return dsp::without_rows({view.input.height, view.input.width, view.input.channels,
                            view.output.height, view.output.width, w.kernel_height, w.kernel_width,
                            w.stride_height, w.stride_width, w.pad_top, w.pad_left});
}

/// Of a convolution, or of a dense layer in blocks.
dsp::SparseTile tile_of(const LayerView& view, SparseForm form) {
  if (view.layer.op == IntegerOp::dense)
    return dsp::dense_tile(static_cast<int>(view.input.size()), form);
  return dsp::conv_tile(geometry_of(view), form);
}

/// The weights of one output channel.
class Filter {
 public:
  Filter(const LayerView& view, int channel) : geometry_(geometry_of(view)) {
    const int size = geometry_.kernel_height * geometry_.kernel_width * geometry_.channels;
    weights_ = std::span(view.layer.weights)
                   .subspan(static_cast<std::size_t>(channel) * static_cast<std::size_t>(size),
                            static_cast<std::size_t>(size));
  }

  /// Zero beyond the last channel.
  int at(int ky, int kx, int channel) const {
    if (channel >= geometry_.channels) return 0;
    return weights_[static_cast<std::size_t>(
        (ky * geometry_.kernel_width + kx) * geometry_.channels + channel)];
  }
  const dsp::ConvGeometry& geometry() const { return geometry_; }

 private:
  dsp::ConvGeometry geometry_;
  std::span<const std::int8_t> weights_;
};

/// Weights that meet one cell of the tile.
struct CellWeights {
  int cell;
  std::vector<int> weights;  ///< one, or a block of four
};

/// The cells whose weights are not all zero, in the order of the tile.
std::vector<CellWeights> used_cells(const Filter& filter, const dsp::SparseTile& tile, int block) {
  std::vector<CellWeights> used;
  for (int ky = 0; ky < filter.geometry().kernel_height; ++ky)
    for (int kx = 0; kx < filter.geometry().kernel_width; ++kx)
      for (int level = 0; level < tile.depth; ++level) {
        CellWeights one{tile.cell(ky, kx, level), {}};
        for (int i = 0; i < block; ++i)
          one.weights.push_back(filter.at(ky, kx, level * block + i));
        if (std::any_of(one.weights.begin(), one.weights.end(), [](int w) { return w != 0; }))
          used.push_back(std::move(one));
      }
  std::sort(used.begin(), used.end(),
            [](const CellWeights& a, const CellWeights& b) { return a.cell < b.cell; });
  return used;
}

/// Distances and weights of one channel.
void put_distances(const Filter& filter, const dsp::SparseTile& tile, SparseForm form,
                   std::vector<std::int64_t>& stream) {
  const int block = form == SparseForm::blocks ? 4 : 1;
  int place = 0;
  for (const CellWeights& used : used_cells(filter, tile, block)) {
    int distance = used.cell / tile.unit_cells - place;
    for (; distance > dsp::longest_distance; distance -= dsp::longest_distance) {
      stream.push_back(dsp::longest_distance);
      stream.insert(stream.end(), static_cast<std::size_t>(block), 0);
    }
    stream.push_back(distance);
    stream.insert(stream.end(), used.weights.begin(), used.weights.end());
    place = used.cell / tile.unit_cells;
  }
  stream.push_back(-1);
}

/// Weights and distances of one channel of a dense layer, whole fours of them.
void put_fours(const Filter& filter, std::vector<std::int64_t>& weights,
               std::vector<std::int64_t>& distances) {
  int place = 0;
  for (int i = 0; i < filter.geometry().channels; ++i) {
    if (filter.at(0, 0, i) == 0 && i - place < dsp::longest_distance_of_fours) continue;
    weights.push_back(filter.at(0, 0, i));
    distances.push_back(i - place);
    place = i;
  }
  while (!weights.empty() && weights.back() == 0)
    weights.pop_back();
  weights.resize((weights.size() + 3) / 4 * 4, 0);
  distances.resize(weights.size(), 0);
}

/// Bits and weights of one channel.
void put_bitmap(const Filter& filter, std::vector<std::int64_t>& stream) {
  const dsp::ConvGeometry& g = filter.geometry();
  for (int ky = 0; ky < g.kernel_height; ++ky)
    for (int kx = 0; kx < g.kernel_width; ++kx)
      for (int first = 0; first < g.channels; first += dsp::bitmap_run) {
        const int run = std::min(dsp::bitmap_run, g.channels - first);
        std::uint32_t bits = 0;
        std::vector<std::int64_t> weights;
        for (int i = 0; i < run; ++i) {
          const int weight = filter.at(ky, kx, first + i);
          if (weight == 0) continue;
          bits |= 1u << (31 - i);
          weights.push_back(weight);
        }
        for (int i = 4 - dsp::bitmap_bytes(run); i < 4; ++i)
          stream.push_back(static_cast<std::int8_t>(bits >> 8 * i));
        stream.insert(stream.end(), weights.begin(), weights.end());
      }
}

/// b' and m of every channel.
ConstantArray pack_channels(const LayerView& view) {
  const Requantization& r = view.layer.requantization;
  ConstantArray channels{"channels", "std::int32_t", 4, {}};
  for (std::size_t c = 0; c < r.bias.size(); ++c)
    channels.values.insert(channels.values.end(), {r.bias[c], r.multiplier[c]});
  return channels;
}

template <SparseForm form>
std::vector<ConstantArray> pack_distances(const LayerView& view) {
  const dsp::SparseTile tile = tile_of(view, form);
  ConstantArray stream{"stream", "std::int8_t", 1, {}};
  for (int c = 0; c < view.output.channels; ++c)
    put_distances(Filter(view, c), tile, form, stream.values);
  return {stream, pack_channels(view)};
}

std::vector<ConstantArray> pack_bitmap(const LayerView& view) {
  ConstantArray stream{"stream", "std::int8_t", 1, {}};
  for (int c = 0; c < view.output.channels; ++c)
    put_bitmap(Filter(view, c), stream.values);
  return {stream, pack_channels(view)};
}

/// Blocks as numbers of the layer's values.
NumberedBlocks numbered_blocks(const LayerView& view) {
  const dsp::SparseTile tile = tile_of(view, SparseForm::numbered_blocks);
  NumberedBlocks blocks(view.layer.weights);
  for (int c = 0; c < view.output.channels; ++c) {
    for (const CellWeights& used : used_cells(Filter(view, c), tile, 4)) {
      const auto weight = [&used](std::size_t i) {
        return static_cast<std::int8_t>(used.weights[i]);
      };
      blocks.add(used.cell / tile.unit_cells, {weight(0), weight(1), weight(2), weight(3)});
    }
    blocks.end_channel();
  }
  return blocks;
}

std::vector<ConstantArray> pack_numbered(const LayerView& view) {
  std::vector<ConstantArray> arrays = numbered_blocks(view).arrays();
  arrays.push_back(pack_channels(view));
  return arrays;
}

/// The weights of a dense layer in fours, the last four of a channel filled up with zeros.
std::vector<ConstantArray> pack_fours(const LayerView& view) {
  ConstantArray words{"fours", "std::uint32_t", 4, {}}, counts{"counts", "std::uint16_t", 2, {}};
  for (int c = 0; c < view.output.channels; ++c) {
    std::vector<std::int64_t> weights, distances;
    put_fours(Filter(view, c), weights, distances);
    for (std::size_t i = 0; i < weights.size(); i += 4)
      for (const auto& bytes : {weights, distances}) {
        std::int64_t word = 0;
        for (std::size_t j = 0; j < 4; ++j)
          word |= (bytes[i + j] & 0xff) << 8 * j;
        words.values.push_back(word);
      }
    counts.values.push_back(static_cast<std::int64_t>(weights.size() / 4));
  }
  if (words.values.empty()) words.values.push_back(0);  // an array has an element
  return {words, counts, pack_channels(view)};
}

template <SparseForm form>
Bytes conv_scratch(const LayerView& view) {
  const dsp::ConvGeometry g = geometry_of(view);
  return Bytes(static_cast<std::uint64_t>(dsp::tile_bytes(g, tile_of(view, form))));
}

template <SparseForm form>
Bytes dense_blocks_scratch(const LayerView& view) {
  const dsp::SparseTile tile = tile_of(view, form);
  return Bytes(static_cast<std::uint64_t>(4 * (tile.table_words + tile.words())));
}

/// From bit to bit of a bitmap is an immediate of LDRD.
bool accepts_bitmap(const LayerView& view) {
  return 4 * tile_of(view, SparseForm::bitmap).slots <= 1020;
}

bool accepts_numbered(const LayerView& view) {
  return NumberedBlocks::can_number(view.layer.weights) &&
         numbered_blocks(view).bytes() < Bytes(view.layer.weights.size());
}

}  // namespace

std::span<const KernelRow> dsp_sparse_kernels() {
  static const KernelRow rows[] = {
      {.name = "conv.blocks.dsp",
       .op = IntegerOp::convolution,
       .form = WeightForm::blocks,
       .header = "targets/runtime/dsp/sparse_conv.hpp",
       .function = "assay::kernels::conv_blocks_dsp",
       .runs_on = has_dsp,
       .pack = pack_distances<SparseForm::blocks>,
       .scratch = conv_scratch<SparseForm::blocks>},
      {.name = "conv.blocks_codebook16.dsp",
       .op = IntegerOp::convolution,
       .form = WeightForm::blocks_codebook16,
       .header = "targets/runtime/dsp/sparse_codebook.hpp",
       .function = "assay::kernels::conv_blocks_codebook16_dsp",
       .runs_on = has_dsp,
       .accepts = accepts_numbered,
       .pack = pack_numbered,
       .scratch = conv_scratch<SparseForm::numbered_blocks>},
      {.name = "conv.unstructured.dsp",
       .op = IntegerOp::convolution,
       .form = WeightForm::unstructured,
       .header = "targets/runtime/dsp/sparse_conv.hpp",
       .function = "assay::kernels::conv_unstructured_dsp",
       .runs_on = has_dsp,
       .pack = pack_distances<SparseForm::single>,
       .scratch = conv_scratch<SparseForm::single>},
      {.name = "conv.bitmap.dsp",
       .op = IntegerOp::convolution,
       .form = WeightForm::bitmap,
       .header = "targets/runtime/dsp/sparse_conv.hpp",
       .function = "assay::kernels::conv_bitmap_dsp",
       .runs_on = has_dsp,
       .accepts = accepts_bitmap,
       .pack = pack_bitmap,
       .scratch = conv_scratch<SparseForm::bitmap>},
      {.name = "dense.blocks.dsp",
       .op = IntegerOp::dense,
       .form = WeightForm::blocks,
       .header = "targets/runtime/dsp/sparse_dense.hpp",
       .function = "assay::kernels::dense_blocks_dsp",
       .runs_on = has_dsp,
       .pack = pack_distances<SparseForm::blocks>,
       .scratch = dense_blocks_scratch<SparseForm::blocks>},
      {.name = "dense.blocks_codebook16.dsp",
       .op = IntegerOp::dense,
       .form = WeightForm::blocks_codebook16,
       .header = "targets/runtime/dsp/sparse_codebook.hpp",
       .function = "assay::kernels::dense_blocks_codebook16_dsp",
       .runs_on = has_dsp,
       .accepts = accepts_numbered,
       .pack = pack_numbered,
       .scratch = dense_blocks_scratch<SparseForm::numbered_blocks>},
      {.name = "dense.unstructured.dsp",
       .op = IntegerOp::dense,
       .form = WeightForm::unstructured,
       .header = "targets/runtime/dsp/sparse_dense.hpp",
       .function = "assay::kernels::dense_unstructured_dsp",
       .runs_on = has_dsp,
       .pack = pack_fours},
      {.name = "dense.bitmap.dsp",
       .op = IntegerOp::dense,
       .form = WeightForm::bitmap,
       .header = "targets/runtime/dsp/sparse_dense.hpp",
       .function = "assay::kernels::dense_bitmap_dsp",
       .runs_on = has_dsp,
       .pack = pack_bitmap},
  };
  return rows;
}

}  // namespace assay
