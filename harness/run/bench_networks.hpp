// The networks that boards are compared on, with what others published for them. Plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "compress/models/model_spec.hpp"
#include "harness/core/result.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay {

/// A network family at a published input size.
struct BenchNetwork {
  std::string_view name;  ///< "resnet8"
  ModelChoice choice;
  int channels = 1;
  int height = 1;
  int width = 1;
  int classes = 1;
};

std::span<const BenchNetwork> bench_networks();

/// The int8 network with initial weights of a fixed seed and activations in [-1, 1]: what dense
/// int8 kernels cost does not depend on trained values. Errors: bad_input.
Result<IntegerGraph> bench_network_graph(const BenchNetwork& network);

/// Somebody else's figures for the same network, measured on silicon. What is not known is absent
/// (0).
struct PublishedFigure {
  std::string_view network;
  std::string_view part;
  std::string_view stack;  ///< "X-CUBE-AI 8.1"
  double milliseconds = 0;
  double ram_kib = 0;
  double flash_kib = 0;
  std::string_view source;
};

std::span<const PublishedFigure> published_figures();

}  // namespace assay
