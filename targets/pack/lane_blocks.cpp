#include "targets/pack/lane_blocks.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

#include "targets/pack/filter_streams.hpp"
#include "targets/pack/numbered_blocks.hpp"
#include "targets/pack/rows.hpp"
#include "targets/runtime/neon/lane_layout.hpp"

namespace assay {
namespace {

namespace neon = kernels::neon;

constexpr std::size_t lanes = neon::lanes, step_blocks = neon::step_blocks;

/// Four weights and where they lie.
struct Block {
  int place = 0;  ///< in blocks from the beginning of the window
  std::array<std::int8_t, 4> weights{};
};

/// What is left of a channel, long distances bridged.
std::vector<Block> blocks_of(std::span<const std::int8_t> row) {
  std::vector<Block> blocks;
  for (std::size_t first = 0; first < row.size(); first += 4) {
    Block block{static_cast<int>(first / 4), {}};
    std::ranges::copy(row.subspan(first, std::min<std::size_t>(4, row.size() - first)),
                      block.weights.begin());
    if (std::ranges::all_of(block.weights, [](int weight) { return weight == 0; })) continue;
    while (!blocks.empty() && block.place - blocks.back().place > neon::longest_distance)
      blocks.push_back({blocks.back().place + neon::longest_distance, {}});
    blocks.push_back(block);
  }
  return blocks;
}

/// The channels in the order of the lanes, those with the most blocks first.
std::vector<std::size_t> order_of(const std::vector<std::vector<Block>>& channels) {
  std::vector<std::size_t> order(channels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](std::size_t channel) { return channels[channel].size(); });
  while (order.size() % lanes != 0)
    order.push_back(order[order.size() / lanes * lanes]);
  return order;
}

using Group = std::array<std::vector<Block>, lanes>;

/// Appends one group after the other.
class LanePacking {
 public:
  explicit LanePacking(std::vector<std::int8_t> values) : values_(std::move(values)) {}

  void add(Group group) {
    std::size_t most = 1;
    for (const auto& lane : group)
      most = std::max(most, lane.size());
    const std::size_t steps = (most + step_blocks - 1) / step_blocks;
    heads_.push_back(static_cast<std::int64_t>(steps));
    for (auto& lane : group) {
      heads_.push_back(lane.empty() ? 0 : lane.front().place);
      lane.resize(steps * step_blocks + 1, {lane.empty() ? 0 : lane.back().place, {}});
    }
    for (std::size_t step = 0; step < steps; ++step)
      add_step(group, step * step_blocks);
  }

  std::vector<ConstantArray> arrays() && {
    return {{"heads", "std::uint16_t", 2, std::move(heads_)},
            {"distances", "std::uint32_t", 4, std::move(distances_)},
            {"numbers", "std::uint8_t", 1, std::move(numbers_)},
            {"values", "std::int8_t", 1, {values_.begin(), values_.end()}}};
  }

 private:
  /// The blocks of all lanes from the one at `first` on.
  void add_step(const Group& group, std::size_t first) {
    std::int64_t distances = 0;
    for (std::size_t field = 0; field < lanes * step_blocks; ++field) {
      const auto& lane = group[field % lanes];
      const std::size_t block = first + field / lanes;
      distances |= std::int64_t{lane[block + 1].place - lane[block].place} << (4 * field);
    }
    distances_.push_back(distances);
    const auto number = number_in(values_);
    for (const auto& lane : group)
      for (std::size_t i = 0; i < 4; ++i)
        numbers_.push_back(number(lane[first].weights[i]) | number(lane[first + 1].weights[i])
                                                                << 4);
  }

  std::vector<std::int8_t> values_;
  std::vector<std::int64_t> heads_, distances_, numbers_;
};

/// The layer's values, and zero.
std::vector<std::int8_t> values_of(const LayerView& view) {
  std::vector<std::int8_t> values = distinct_values(view.layer.weights);
  if (!std::ranges::binary_search(values, std::int8_t{0}))
    values.insert(std::ranges::lower_bound(values, std::int8_t{0}), 0);
  return values;
}

}  // namespace

bool accepts_lane_blocks(const LayerView& view) {
  constexpr int most_channels = 1 << 16;  // of which `order` tells one
  return view.output.channels <= most_channels && NumberedBlocks::can_number(view.layer.weights) &&
         bytes_of(pack_lane_blocks(view)) <
             bytes_of(pack_requantization(view)) + Bytes(view.layer.weights.size());
}

std::vector<ConstantArray> pack_lane_blocks(const LayerView& view) {
  const FilterRows rows(view);
  std::vector<std::vector<Block>> channels;
  for (std::size_t channel = 0; channel < rows.count(); ++channel)
    channels.push_back(blocks_of(rows[channel]));
  const auto order = order_of(channels);
  LanePacking packing(values_of(view));
  ConstantArray places{"order", "std::uint16_t", 2, {}}, bias{"bias", "std::int32_t", 4, {}},
      multiplier{"multiplier", "std::int32_t", 4, {}};
  const Requantization& r = view.layer.requantization;
  for (std::size_t first = 0; first < order.size(); first += lanes) {
    Group group;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::size_t channel = order[first + lane];
      group[lane] = channels[channel];
      places.values.push_back(static_cast<std::int64_t>(channel));
      bias.values.push_back(r.bias[channel]);
      multiplier.values.push_back(r.multiplier[channel]);
    }
    packing.add(std::move(group));
  }
  std::vector<ConstantArray> arrays = std::move(packing).arrays();
  arrays.insert(arrays.end(), {std::move(places), std::move(bias), std::move(multiplier)});
  return arrays;
}

}  // namespace assay
