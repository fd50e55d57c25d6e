#include "compress/methods/clustering.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace assay {
namespace {

using Per = ClusterSettings::Per;
using Scale = ClusterSettings::Scale;

constexpr Words<Per, 2> pers{{
    {Per::layer, "layer"},
    {Per::channel, "channel"},
}};

constexpr Words<Scale, 2> scale_words{{
    {Scale::channel, "channel"},
    {Scale::none, "none"},
}};

Status check(std::span<const float> weights, std::int64_t channels, std::span<const float> scales,
             Scale scale) {
  if (channels < 1 || weights.empty() || weights.size() % std::size_t(channels) != 0)
    return fail(ErrorKind::bad_input,
                fmt::format("cannot cluster {} weights as those of {} output channels",
                            weights.size(), channels));
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (!std::isfinite(weights[i]))
      return fail(ErrorKind::bad_input,
                  fmt::format("cannot cluster weights of which number {} is {}", i, weights[i]));
  if (scale == Scale::none) return {};
  if (scales.size() != std::size_t(channels))
    return fail(ErrorKind::bad_input,
                fmt::format("clustering in units of the channels' scales needs {} scales, found {}",
                            channels, scales.size()));
  for (std::size_t i = 0; i < scales.size(); ++i)
    if (!(scales[i] > 0 && std::isfinite(scales[i])))
      return fail(ErrorKind::bad_input,
                  fmt::format("the scale of channel {} must be above 0, found {}", i, scales[i]));
  return {};
}

}  // namespace

Json to_json(const ClusterSettings& settings) {
  Json json = to_json(settings.layers);
  json["clusters"] = settings.k;
  json["init"] = word_of(kmeans_inits, settings.init);
  json["per"] = word_of(pers, settings.per);
  json["preserve_sparsity"] = settings.preserve_sparsity;
  json["zero_smallest"] = settings.zero_smallest;
  json["scale"] = word_of(scale_words, settings.scale);
  return json;
}

ClusterSettings read_cluster_settings(JsonObject& object) {
  ClusterSettings settings;
  settings.k = read_count(object, "clusters", settings.k, 256);
  settings.init = read_word(object, "init", kmeans_inits, settings.init);
  settings.per = read_word(object, "per", pers, settings.per);
  settings.preserve_sparsity =
      object.optional<bool>("preserve_sparsity", settings.preserve_sparsity);
  settings.zero_smallest = object.optional<bool>("zero_smallest", settings.zero_smallest);
  settings.scale = read_word(object, "scale", scale_words, settings.scale);
  settings.layers = read_layer_policy(object);
  return settings;
}

Json to_json(const LayerClusters& clusters) {
  if (clusters.left_out) return {{"left_out", *clusters.left_out}};
  return {{"codebooks", clusters.codebooks.size()},
          {"centroids", clusters.largest_codebook},
          {"merged", clusters.merged},
          {"squared_error", clusters.squared_error}};
}

Result<LayerClusters> cluster_layer(std::span<const float> weights, std::int64_t channels,
                                    std::span<const float> scales, const ClusterSettings& settings,
                                    std::uint64_t seed) {
  ASSAY_CHECK(check(weights, channels, scales, settings.scale));
  const bool scaled = settings.scale == Scale::channel;
  const std::size_t row = weights.size() / std::size_t(channels);
  std::vector<float> units(weights.begin(), weights.end());
  std::vector<double> importance;  // of an error in units, so that the weights' own is minimized
  for (std::size_t i = 0; scaled && i < units.size(); ++i) {
    units[i] /= scales[i / row];
    importance.push_back(std::pow(double(scales[i / row]), 2));
  }

  LayerClusters layer;
  const std::size_t length = settings.per == Per::channel ? row : weights.size();
  for (std::size_t first = 0; first < units.size(); first += length) {
    const auto members = std::span<const float>(units).subspan(first, length);
    const KmeansOptions options{.k = settings.k,
                                .init = settings.init,
                                .preserve_zeros = settings.preserve_sparsity,
                                .zero_smallest = settings.zero_smallest,
                                .integers = scaled,
                                .seed = seed + first / length};
    if (auto why = why_not_clusterable(members, options)) {
      layer = {};
      layer.left_out = std::move(why);
      return layer;
    }
    const auto counts =
        std::span<const double>(importance).subspan(scaled ? first : 0, scaled ? length : 0);
    ASSAY_TRY(const Clusters clusters, cluster_weights(members, options, counts));
    layer.merged += clusters.merged;
    layer.codebooks.emplace_back(clusters.centroids.begin(), clusters.centroids.end());
    layer.assignment.insert(layer.assignment.end(), clusters.assignment.begin(),
                            clusters.assignment.end());
    layer.largest_codebook = std::max(layer.largest_codebook, int(clusters.centroids.size()));
  }
  const auto shared =
      clustered_weights(layer, channels, scaled ? scales : std::span<const float>{});
  for (std::size_t i = 0; i < weights.size(); ++i)
    layer.squared_error += std::pow(double(weights[i]) - double(shared[i]), 2);
  return layer;
}

Result<std::vector<std::size_t>> clusterable_layers(std::span<const WeightedLayer> layers,
                                                    const ClusterSettings& settings) {
  ASSAY_TRY(const auto selected, select_layers(layers, settings.layers));
  const KmeansOptions options{settings.k, settings.init, settings.preserve_sparsity,
                              settings.zero_smallest, 0};
  std::vector<std::size_t> clusterable;
  std::string first_reason;
  for (const std::size_t index : selected) {
    const WeightedLayer& layer = layers[index];
    const std::int64_t codebooks = settings.per == Per::channel ? layer.shape[0] : 1;
    const std::vector<float> alike(std::size_t(layer.weight_count() / codebooks), 1.0F);
    const auto why = why_not_clusterable(alike, options);
    if (!why) clusterable.push_back(index);
    if (why && first_reason.empty()) first_reason = *why;
  }
  if (clusterable.empty()) return nothing_to_cluster(layers[selected[0]].name, first_reason);
  return clusterable;
}

tl::unexpected<Error> nothing_to_cluster(const std::string& layer, const std::string& why) {
  return fail(ErrorKind::bad_input,
              fmt::format("none of the chosen layers can be clustered, {} because {}", layer, why));
}

std::vector<float> clustered_weights(const LayerClusters& clusters, std::int64_t channels,
                                     std::span<const float> scales) {
  assert(!clusters.left_out && (scales.empty() || scales.size() == std::size_t(channels)));
  const std::size_t row = clusters.assignment.size() / std::size_t(channels);
  std::vector<float> weights;
  weights.reserve(clusters.assignment.size());
  for (std::size_t i = 0; i < clusters.assignment.size(); ++i) {
    const float centroid = clusters.codebook(i / row)[clusters.assignment[i]];
    weights.push_back(scales.empty() ? centroid : centroid * scales[i / row]);
  }
  return weights;
}

}  // namespace assay
