#include "tests/targets/build/form_network.hpp"

#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/graph/output_spread.hpp"

namespace assay::test {
namespace {

WeightFill fill_for(WeightForm form) {
  switch (form) {
    case WeightForm::int4:
      return WeightFill::int4;
    case WeightForm::ternary:
      return WeightFill::ternary;
    case WeightForm::codebook16:
      return WeightFill::clusters16;
    case WeightForm::codebook256:
      return WeightFill::clusters64;
    case WeightForm::blocks:
      return WeightFill::blocks75;
    case WeightForm::blocks_codebook16:
      return WeightFill::blocks75_clusters16;
    case WeightForm::unstructured:
    case WeightForm::bitmap:
      return WeightFill::scattered90;
    default:
      return WeightFill::random;
  }
}

/// b' of the size of the sums, so that every channel has outputs of both signs.
void center_outputs(IntegerLayer& layer) {
  const std::vector<SumRange> ranges = sum_ranges(layer);
  for (std::size_t c = 0; c < ranges.size(); ++c)
    layer.requantization.bias[c] =
        static_cast<int>(ranges[c].deviation / 2) * (static_cast<int>(c % 3) - 1);
  spread_outputs(layer);
}

}  // namespace

IntegerGraph form_network(WeightForm form) {
  const Window lopsided{3, 3, 2, 1, 1, 0, 1, 2}, same{3, 3, 1, 1, 1, 1, 1, 1};
  const SingleLayer shapes[] = {
      {IntegerOp::convolution, 11, 10, 2, 15, lopsided},
      {IntegerOp::depthwise, 6, 10, 15, 15, same},
      {IntegerOp::convolution, 6, 10, 15, 33, {}},
      {IntegerOp::max_pool, 6, 10, 33, 33, {2, 3, 2, 3}},
      {IntegerOp::dense, 3, 3, 33, 10, {}},
  };
  IntegerGraph network;
  std::uint32_t seed = 40;
  for (const SingleLayer& shape : shapes) {
    IntegerGraph one = single_layer_graph(shape, seed++, fill_for(form));
    IntegerLayer& layer = one.layers[0];
    layer.name += std::to_string(network.layers.size());
    if (has_weights(layer.op)) center_outputs(layer);
    layer.inputs = {static_cast<int>(network.layers.size())};
    layer.output = layer.inputs[0] + 1;
    network.tensors.push_back(one.tensors[0]);
    network.layers.push_back(std::move(layer));
    network.output = network.layers.back().output;
    if (&shape == std::end(shapes) - 1) network.tensors.push_back(one.tensors[1]);
  }
  return network;
}

KernelChoice kernels_of_form(const IntegerGraph& graph, const Core& core, WeightForm form) {
  KernelChoice choice;
  for (const IntegerLayer& layer : graph.layers) {
    const LayerView view(graph, layer);
    const KernelRow* row = has_weights(layer.op) ? find_kernel(view, core, form) : nullptr;
    choice.layers.push_back(row ? row : &choose_kernel(view, core));
  }
  return choice;
}

}  // namespace assay::test
