// Layers over int16 tensors whose multipliers or inputs are hard on kernels.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "tests/targets/kernels/awkward_shapes.hpp"

namespace assay::test {
namespace {

/// A square window.
Window window(int kernel, int stride = 1, int pad = 0) {
  return {kernel, kernel, stride, stride, pad, pad, pad, pad};
}

/// Gives a layer of two inputs a second one of its own, of that shape.
void set_second_input(IntegerGraph& graph, int height, int width, int channels) {
  ActivationTensor second = graph.tensors[0];
  second.name = "second";
  second.height = height, second.width = width, second.channels = channels;
  graph.tensors.push_back(second);
  graph.layers[0].inputs[1] = 2;
}

/// Sums and products at the ends of what ARITHMETIC.md allows m and R to be, and where the halves
/// that kernels split m into are as large as they get.
std::vector<NamedGraph> scaled_layers() {
  using enum IntegerOp;
  constexpr std::int32_t most = 0x7fffffff;
  const struct {
    SingleLayer shape;
    int r;
    std::vector<std::int32_t> m;
  } scaled[] = {
      {{add, 3, 4, 5, 5, {}}, 31, {0x3fff7fff, 0x3fff8001}},
      {{add, 3, 4, 5, 5, {}}, 31, {0x3fff7fff, 0x3fff7fff}},
      {{add, 3, 4, 5, 5, {}}, 31, {0x3fff8001, 0x3fff8001}},
      {{add, 3, 4, 5, 5, {}}, 31, {0x7fff7fff, 0x00018001}},
      {{add, 3, 4, 5, 5, {}}, 32, {most, most}},
      {{add, 3, 4, 5, 5, {}}, 30, {0x20008000, 0x10008000}},
      {{add, 3, 4, 5, 5, {}}, 46, {most, most}},
      {{add, 3, 4, 5, 5, {}}, 46, {0, 1}},
      {{add, 3, 4, 5, 5, {}}, 17, {70000, 3}},
      {{add, 3, 4, 5, 5, {}}, 16, {30000, 50000}},
      {{add, 3, 4, 5, 5, {}}, 1, {1, 2}},
      {{average_pool, 6, 5, 9, 9, window(2, 1, 1)}, 32, {1 << 30}},
      {{average_pool, 6, 5, 9, 9, window(3, 2, 1)}, 35, {most}},
      {{average_pool, 6, 5, 9, 9, window(3, 2, 1)}, 33, {0x40008000}},
      {{average_pool, 6, 5, 9, 9, window(2, 2)}, 31, {0x1fff8000}},
      {{average_pool, 6, 5, 9, 9, window(2, 2)}, 18, {77777}},
      {{average_pool, 6, 5, 9, 9, window(2, 2)}, 2, {1}},
      {{average_pool, 4, 5, 3, 3, window(1)}, 46, {most}},
      {{multiply, 3, 4, 5, 5, {}}, 46, {most}},
      {{multiply, 3, 4, 5, 5, {}}, 33, {65537}},
      {{multiply, 3, 4, 5, 5, {}}, 32, {100001}},
      {{multiply, 3, 4, 5, 5, {}}, 31, {50001}},
      {{multiply, 3, 4, 5, 5, {}}, 15, {1}},
      {{concat, 3, 4, 5, 5, {}}, 46, {most, 0x7fff8000}},
      {{concat, 3, 4, 5, 5, {}}, 30, {1 << 30, 0x2aaa8000}},
      {{concat, 3, 4, 5, 5, {}}, 17, {99999, 0x8000}},
      {{concat, 3, 4, 5, 5, {}}, 16, {65536, 20000}},
      {{concat, 3, 4, 5, 5, {}}, 1, {2, 1}},
  };
  std::vector<NamedGraph> layers;
  for (const auto& one : scaled) {
    SingleLayer shape = one.shape;
    shape.element = Element::int16;
    layers.push_back(
        {fmt::format("{} R {} m {:#x}", to_string(shape.op), one.r, fmt::join(one.m, " ")),
         single_layer_graph(shape, 1)});
    Requantization& r = layers.back().graph.layers[0].requantization;
    r.output_shift = one.r;
    r.multiplier = one.m;
    std::ranges::fill(r.bias, std::int64_t{1} << (one.r - 1));
  }
  return layers;
}

/// Factors for each channel, and joined tensors of different channels.
std::vector<NamedGraph> layers_of_two_inputs() {
  std::vector<NamedGraph> layers;
  for (const int channels : {1, 2, 7, 12}) {
    const SingleLayer product{IntegerOp::multiply, 3, 4, channels, channels, {}, Element::int16};
    layers.push_back({fmt::format("multiply {} channels by their factors", channels),
                      single_layer_graph(product, 1)});
    set_second_input(layers.back().graph, 1, 1, channels);
    for (const int others : {1, 2, 5}) {
      if (others > channels) continue;
      const SingleLayer joined{IntegerOp::concat, 3, 4, channels, channels, {}, Element::int16};
      layers.push_back({fmt::format("concat {} and {} channels", channels, others),
                        single_layer_graph(joined, 1)});
      set_second_input(layers.back().graph, 3, 4, others);
      layers.back().graph.tensors[1].channels = channels + others;
    }
  }
  return layers;
}

}  // namespace

std::vector<NamedGraph> wide_sums() {
  std::vector<NamedGraph> layers = scaled_layers();
  std::ranges::move(layers_of_two_inputs(), std::back_inserter(layers));
  return layers;
}

}  // namespace assay::test
