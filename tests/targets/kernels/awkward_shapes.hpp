// Layers chosen to be hard on kernels: odd channels, tails, strides, lopsided padding, single
// pixels, windows too large for one sum, weights and inputs at the ends of their ranges.
#pragma once

#include <string>
#include <vector>

#include "targets/graph/integer_graph.hpp"
#include "targets/pack/bench_shapes.hpp"
#include "targets/pack/kernel.hpp"

namespace assay::test {

struct NamedGraph {
  std::string name;
  IntegerGraph graph;
  /// Differs from another layer only in weights that forms of few bits or few values can hold.
  bool only_for_packed_forms = false;
};

/// The only layer of a network and its tensors.
LayerView view_of(const IntegerGraph& graph);

std::vector<NamedGraph> awkward_layers();

/// The same shapes over int16 tensors, with sums in 32 and in 64 bits.
std::vector<NamedGraph> wide_awkward_layers();

/// Pools, additions, products and concatenations over int16 tensors with multipliers and shifts at
/// the ends of their ranges, with a factor for each channel, of different channels. Among
/// wide_awkward_layers.
std::vector<NamedGraph> wide_sums();

/// Layers for kernels of compressed weights, every other one with a channel of one value.
std::vector<NamedGraph> compressed_layers(WeightFill fill);

}  // namespace assay::test
