// Single-layer networks: the shapes kernels are benchmarked on, with the published figures they are
// held against, and the generator behind them that tests use for other shapes. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "targets/graph/integer_graph.hpp"
#include "targets/pack/weight_form.hpp"

namespace assay {

/// What a single-layer network computes on.
struct SingleLayer {
  IntegerOp op = IntegerOp::convolution;
  int height = 1;  ///< of the input
  int width = 1;
  int channels = 1;
  int out_channels = 1;             ///< convolution and dense; others keep the input's
  Window window;                    ///< of those that slide one
  Element element = Element::int8;  ///< of the tensors; int16 is the other
};

/// Which weights: pseudo-random ones, all at one end of their range, or what a compression leaves.
enum class WeightFill {
  random,
  lowest,
  highest,
  alternating,
  int4,                 ///< in [-7, 7]
  ternary,              ///< in [-1, 1]
  clusters16,           ///< 16 values, zero not among them
  clusters64,           ///< 64 values
  blocks50,             ///< half of the blocks of four inputs are zero, in random places
  blocks75,             ///< three quarters of them
  scattered90,          ///< nine tenths of the weights are zero, in random places
  blocks50_clusters16,  ///< blocks50 of 16 values
  blocks75_clusters16,  ///< blocks75 of 16 values
};

/// A network of one layer with pseudo-random bias and multipliers that keep the ranges of
/// ARITHMETIC.md; with random weights and inputs its outputs spread over int8. The same arguments
/// give the same network. An addition, product or concatenation takes its input twice.
IntegerGraph single_layer_graph(const SingleLayer& shape, std::uint32_t seed,
                                WeightFill fill = WeightFill::random);

/// A shape that instructions per multiply-accumulate are compared on, with weights and the form
/// they are packed in.
struct BenchShape {
  std::string_view name;  ///< "conv 3x3 16->16 16x16"
  SingleLayer shape;
  WeightFill fill;
  WeightForm form;
  /// Instructions per nominal multiply-accumulate of CMSIS-NN 99f736a6 (its public wrapper entry
  /// points, dense int8, GCC 12.2 -O3, counted under QEMU). Its kernels over int16 tensors were not
  /// counted.
  std::optional<double> cmsis_nn_m0;
  std::optional<double> cmsis_nn_m4;
  std::optional<double> cmsis_nn_m7;
  /// The row to bench; without a name the first one of the form.
  std::string_view kernel = {};
};

/// The dense int8 shapes first, then compressed ones, awkward ones in dense int8 (odd sizes, odd
/// channels, stride 2), and the first over int16 tensors.
std::span<const BenchShape> bench_shapes();

}  // namespace assay
