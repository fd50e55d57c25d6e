// Blocks of numbered weights in lanes, read back as targets/runtime/neon/lane_layout.hpp describes
// them: the weights, in as few bytes as the description says.
#include "targets/pack/lane_blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "targets/pack/bench_shapes.hpp"
#include "targets/pack/filter_streams.hpp"

namespace assay {
namespace {

const std::vector<std::int64_t>& member(const std::vector<ConstantArray>& arrays,
                                        const char* name) {
  return std::ranges::find(arrays, name, &ConstantArray::name)->values;
}

/// A dense layer of weights of few values, of whose blocks about `percent` are zero.
IntegerGraph sparse_layer(int inputs, int outputs, int percent, std::mt19937& random) {
  IntegerGraph graph = single_layer_graph({IntegerOp::dense, 1, 1, inputs, outputs, {}}, 3,
                                          WeightFill::blocks50_clusters16);
  std::uniform_int_distribution<int> percents(0, 99), values(-7, 7);
  for (std::size_t row = 0; row < graph.layers[0].weights.size(); row += std::size_t(inputs))
    for (int first = 0; first < inputs; first += 4) {
      const bool zero = percents(random) < percent;
      for (int i = first; i < std::min(first + 4, inputs); ++i)
        graph.layers[0].weights[row + std::size_t(i)] =
            zero ? std::int8_t{0} : static_cast<std::int8_t>(values(random) * 15);
    }
  return graph;
}

/// What the members stand for.
std::vector<std::int8_t> unpack(const std::vector<ConstantArray>& arrays, int inputs, int outputs) {
  const auto &order = member(arrays, "order"), &heads = member(arrays, "heads");
  const auto &distances = member(arrays, "distances"), &numbers = member(arrays, "numbers");
  const auto& values = member(arrays, "values");
  std::vector<std::int8_t> weights(std::size_t(inputs) * std::size_t(outputs), 0);
  std::size_t step = 0;
  for (std::size_t group = 0; 4 * group < order.size(); ++group) {
    std::vector<std::int64_t> place(heads.begin() + 5 * long(group) + 1,
                                    heads.begin() + 5 * long(group) + 5);
    for (std::int64_t left = heads[5 * group]; left > 0; --left, ++step)
      for (std::size_t block = 0; block < 8; ++block) {
        const std::size_t lane = block % 4;
        const std::int64_t channel = order[4 * group + lane];
        for (std::size_t i = 0; i < 4; ++i) {
          const std::int64_t both = numbers[16 * step + 4 * lane + i];
          const auto number = static_cast<std::size_t>(block < 4 ? both & 15 : both >> 4);
          const std::int64_t input = 4 * place[lane] + std::int64_t(i);
          if (values[number] != 0 && input < inputs)
            weights[std::size_t(channel * inputs + input)] =
                static_cast<std::int8_t>(values[number]);
          EXPECT_TRUE(values[number] == 0 || input < inputs);
        }
        EXPECT_LE(4 * place[lane], inputs - 1) << "a block beyond the inputs would be read";
        place[lane] += distances[step] >> (4 * block) & 15;
      }
  }
  EXPECT_EQ(step, distances.size());
  return weights;
}

TEST(LaneBlocks, AreTheWeights) {
  std::mt19937 random(5);
  for (const int inputs : {4, 15, 64, 250, 1000})
    for (const int outputs : {1, 3, 4, 10, 33})
      for (const int percent : {0, 50, 90, 98, 100}) {
        SCOPED_TRACE(::testing::Message() << inputs << " " << outputs << " " << percent);
        const IntegerGraph graph = sparse_layer(inputs, outputs, percent, random);
        const auto arrays = pack_lane_blocks({graph, graph.layers[0]});
        EXPECT_EQ(unpack(arrays, inputs, outputs), graph.layers[0].weights);
        const auto& order = member(arrays, "order");
        const Requantization& r = graph.layers[0].requantization;
        for (std::size_t i = 0; i < order.size(); ++i)
          EXPECT_EQ(member(arrays, "bias")[i], r.bias[std::size_t(order[i])]);
      }
}

TEST(LaneBlocks, TakeTwoAndAHalfBytesABlock) {
  // Every channel has its 16 blocks: eight steps of four bytes and sixteen, a head of ten bytes and
  // four places of two for a group.
  IntegerGraph graph =
      single_layer_graph({IntegerOp::dense, 1, 1, 256, 8, {}}, 3, WeightFill::blocks50_clusters16);
  for (std::size_t i = 0; i < graph.layers[0].weights.size(); ++i)
    graph.layers[0].weights[i] = i / 4 % 4 == 1 ? std::int8_t{30} : std::int8_t{0};
  const LayerView view(graph, graph.layers[0]);
  const Bytes values{2}, requantization{8 * 8};
  EXPECT_EQ(bytes_of(pack_lane_blocks(view)),
            Bytes(2 * (8 * 20 + 10 + 8)) + values + requantization);
  EXPECT_TRUE(accepts_lane_blocks(view));
}

TEST(LaneBlocks, AreForFewValuesAndManyZeros) {
  for (const WeightFill fill : {WeightFill::blocks75, WeightFill::random, WeightFill::clusters16}) {
    const IntegerGraph graph = single_layer_graph({IntegerOp::dense, 1, 1, 256, 64, {}}, 3, fill);
    EXPECT_FALSE(accepts_lane_blocks({graph, graph.layers[0]}));
  }
}

}  // namespace
}  // namespace assay
