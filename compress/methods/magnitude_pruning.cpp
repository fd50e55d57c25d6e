#include "compress/methods/magnitude_pruning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "compress/methods/settings.hpp"

namespace assay {
namespace {

using Granularity = MagnitudePruning::Granularity;
using Ranking = MagnitudePruning::Ranking;

constexpr Words<Granularity, 3> granularities{{
    {Granularity::unstructured, "unstructured"},
    {Granularity::block_1x4, "block-1x4"},
    {Granularity::filter, "filter"},
}};

constexpr Words<Ranking, 2> rankings{{
    {Ranking::layer, "layer"},
    {Ranking::global, "global"},
}};

constexpr int largest_group = 256;

/// Reads "2:4"; whether there is a colon is known.
bool read_n_of_m(const std::string& text, MagnitudePruning& pruning) {
  const auto number = [](const char* first, const char* last, int& value) {
    const auto [end, error] = std::from_chars(first, last, value);
    return error == std::errc() && end == last;
  };
  const char* const begin = text.data();
  const char* const colon = begin + text.find(':');
  return number(begin, colon, pruning.zeros) &&
         number(colon + 1, begin + text.size(), pruning.group) && pruning.zeros >= 1 &&
         pruning.zeros < pruning.group && pruning.group <= largest_group;
}

/// The shape of a layer as pruning sees it.
struct Extent {
  std::int64_t out;
  std::int64_t in;
  std::int64_t positions;  ///< of the kernel
};

Extent extent_of(const PrunableLayer& layer) {
  const auto size = std::int64_t(layer.weights.size());
  const std::int64_t out = layer.shape[0];
  const std::int64_t in = layer.shape[1];
  return {out, in, size / (out * in)};
}

/// Calls each(first index, count, stride) for every run of `length` consecutive input channels, in
/// order of output channel, then channel, then kernel position; the last of a row may be shorter.
template <class Each>
void for_each_run(const Extent& extent, std::int64_t length, Each each) {
  for (std::int64_t out = 0; out < extent.out; ++out)
    for (std::int64_t in = 0; in < extent.in; in += length)
      for (std::int64_t position = 0; position < extent.positions; ++position)
        each((out * extent.in + in) * extent.positions + position, std::min(length, extent.in - in),
             extent.positions);
}

/// Weights that are pruned together. Indices are first, first + stride, ...
struct Unit {
  std::size_t layer;
  std::int64_t first;
  std::int64_t count;
  std::int64_t stride;
  double score;        ///< mean magnitude, pruned weights counting as 0
  std::int64_t alive;  ///< weights not pruned before
};

Unit unit_of(const PrunableLayer& layer, const LayerMask& mask, std::size_t index,
             std::int64_t first, std::int64_t count, std::int64_t stride) {
  Unit unit{index, first, count, stride, 0, 0};
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = std::size_t(first + i * stride);
    if (!mask.keep[at]) continue;
    unit.score += std::abs(double(layer.weights[at]));
    ++unit.alive;
  }
  unit.score /= double(count);
  return unit;
}

/// Appends the units of a layer that are not wholly pruned.
void append_units(const PrunableLayer& layer, const LayerMask& mask, Granularity granularity,
                  std::size_t index, std::vector<Unit>& units) {
  const auto append = [&](std::int64_t first, std::int64_t count, std::int64_t stride) {
    const Unit unit = unit_of(layer, mask, index, first, count, stride);
    if (unit.alive > 0) units.push_back(unit);
  };
  const Extent extent = extent_of(layer);
  const auto size = std::int64_t(layer.weights.size());
  if (granularity == Granularity::unstructured)
    for (std::int64_t i = 0; i < size; ++i)
      append(i, 1, 1);
  if (granularity == Granularity::filter)
    for (std::int64_t out = 0; out < extent.out; ++out)
      append(out * (size / extent.out), size / extent.out, 1);
  if (granularity == Granularity::block_1x4) for_each_run(extent, 4, append);
}

bool goes_first(const Unit& a, const Unit& b) {
  if (a.score != b.score) return a.score < b.score;
  return std::pair(a.layer, a.first) < std::pair(b.layer, b.first);
}

/// In the order of pruning, without the unit of each layer that would go last: it stays.
std::vector<Unit> candidates_of(std::vector<Unit> units, std::size_t layers) {
  std::sort(units.begin(), units.end(), goes_first);
  std::vector<bool> protects(layers, false);
  std::vector<Unit> candidates;
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    if (protects[unit->layer]) candidates.push_back(*unit);
    protects[unit->layer] = true;
  }
  std::ranges::reverse(candidates);
  return candidates;
}

/// How many candidates to prune so that the zeros come nearest to `target`.
std::size_t nearest_count(const std::vector<Unit>& candidates, std::int64_t zeros,
                          std::int64_t target) {
  std::size_t count = 0;
  for (const Unit& unit : candidates) {
    if (std::abs(zeros + unit.alive - target) >= std::abs(zeros - target)) break;
    zeros += unit.alive;
    ++count;
  }
  return count;
}

std::int64_t target_zeros(std::int64_t weights, double sparsity) {
  return weights - std::max<std::int64_t>(std::llround(double(weights) * (1 - sparsity)), 1);
}

/// Prunes the units of some layers, which compete with each other.
void prune_together(std::span<const PrunableLayer> layers, Granularity granularity, double sparsity,
                    std::span<LayerMask> masks) {
  std::vector<Unit> units;
  std::int64_t weights = 0;
  std::int64_t zeros = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    append_units(layers[i], masks[i], granularity, i, units);
    weights += masks[i].weights();
    zeros += masks[i].zeros();
  }
  const auto candidates = candidates_of(std::move(units), layers.size());
  const std::size_t count = nearest_count(candidates, zeros, target_zeros(weights, sparsity));
  for (const Unit& unit : std::span(candidates).first(count))
    for (std::int64_t i = 0; i < unit.count; ++i)
      masks[unit.layer].keep[std::size_t(unit.first + i * unit.stride)] = 0;
}

void prune_groups(const PrunableLayer& layer, const MagnitudePruning& pruning, double sparsity,
                  LayerMask& mask) {
  const std::int64_t zeros =
      std::min<std::int64_t>(std::llround(sparsity * pruning.group), pruning.zeros);
  std::vector<std::size_t> group;
  for_each_run(extent_of(layer), pruning.group,
               [&](std::int64_t first, std::int64_t count, std::int64_t stride) {
                 group.clear();
                 for (std::int64_t i = 0; i < count; ++i)
                   group.push_back(std::size_t(first + i * stride));
                 std::ranges::stable_sort(group, {}, [&](std::size_t at) {
                   return mask.keep[at] ? std::abs(layer.weights[at]) : -1.0F;
                 });
                 const auto pruned = std::size_t(count * zeros / pruning.group);
                 for (std::size_t i = 0; i < pruned; ++i)
                   mask.keep[group[i]] = 0;
               });
}

Status check_layer(const PrunableLayer& layer) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::bad_input, fmt::format("cannot prune layer '{}': {}", layer.name, why));
  };
  if (layer.weights.empty()) return refuse("it has no weights");
  std::int64_t count = 1;
  for (const std::int64_t extent : layer.shape)
    count *= extent;
  if (layer.shape.size() < 2 || count != std::int64_t(layer.weights.size()))
    return refuse(
        fmt::format("its shape stands for {} weights with output and input channels, it "
                    "has {} weights and {} dimensions",
                    count, layer.weights.size(), layer.shape.size()));
  for (std::size_t i = 0; i < layer.weights.size(); ++i)
    if (!std::isfinite(layer.weights[i]))
      return refuse(
          fmt::format("weight {} is {}, the training has diverged; lower its learning "
                      "rate",
                      i, layer.weights[i]));
  return {};
}

Status check(std::span<const PrunableLayer> layers, const MagnitudePruning& pruning,
             double sparsity, std::span<const LayerMask> previous) {
  if (!(sparsity >= 0 && sparsity < 1))
    return fail(ErrorKind::bad_input,
                fmt::format("cannot prune to a sparsity of {}: expected 0 to below 1", sparsity));
  const auto fixed = fixed_sparsity(pruning);
  if (fixed && sparsity > *fixed)
    return fail(ErrorKind::bad_input,
                fmt::format("cannot prune to a sparsity of {}: {}:{} ends at {}", sparsity,
                            pruning.zeros, pruning.group, *fixed));
  for (const PrunableLayer& layer : layers)
    ASSAY_CHECK(check_layer(layer));
  if (previous.empty()) return {};
  const auto fits = [](const LayerMask& mask, const PrunableLayer& layer) {
    return mask.name == layer.name && mask.keep.size() == layer.weights.size();
  };
  if (!std::ranges::equal(previous, layers, fits))
    return fail(ErrorKind::bad_input,
                "the previous masks belong to other layers than the ones to prune");
  return {};
}

}  // namespace

Json to_json(const MagnitudePruning& pruning) {
  if (pruning.granularity == Granularity::n_of_m)
    return {{"granularity", fmt::format("{}:{}", pruning.zeros, pruning.group)}};
  return {{"granularity", word_of(granularities, pruning.granularity)},
          {"ranking", word_of(rankings, pruning.ranking)}};
}

MagnitudePruning read_magnitude_pruning(JsonObject& object) {
  MagnitudePruning pruning;
  const Json& given = object.raw("granularity");
  const bool has_colon =
      given.is_string() && given.get<std::string>().find(':') != std::string::npos;
  if (!has_colon) {
    pruning.granularity = read_word(object, "granularity", granularities, pruning.granularity);
  } else if (read_n_of_m(given.get<std::string>(), pruning)) {
    pruning.granularity = Granularity::n_of_m;
  } else {
    object.problem("granularity",
                   fmt::format("expected zeros and group as in \"2:4\", with 1 <= zeros < group <= "
                               "{}, found {}",
                               largest_group, given.dump()));
  }
  pruning.ranking = read_word(object, "ranking", rankings, pruning.ranking);
  return pruning;
}

std::optional<double> fixed_sparsity(const MagnitudePruning& pruning) {
  if (pruning.granularity != Granularity::n_of_m) return std::nullopt;
  return double(pruning.zeros) / pruning.group;
}

std::int64_t LayerMask::zeros() const {
  return std::ranges::count(keep, 0);
}

Result<std::vector<LayerMask>> magnitude_masks(std::span<const PrunableLayer> layers,
                                               const MagnitudePruning& pruning, double sparsity,
                                               std::span<const LayerMask> previous) {
  ASSAY_CHECK(check(layers, pruning, sparsity, previous));
  std::vector<LayerMask> masks(previous.begin(), previous.end());
  if (previous.empty())
    for (const PrunableLayer& layer : layers)
      masks.push_back({layer.name, std::vector<std::uint8_t>(layer.weights.size(), 1)});
  if (pruning.granularity != Granularity::n_of_m && pruning.ranking == Ranking::global) {
    prune_together(layers, pruning.granularity, sparsity, masks);
    return masks;
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (pruning.granularity == Granularity::n_of_m)
      prune_groups(layers[i], pruning, sparsity, masks[i]);
    else
      prune_together(layers.subspan(i, 1), pruning.granularity, sparsity,
                     std::span(masks).subspan(i, 1));
  }
  return masks;
}

}  // namespace assay
