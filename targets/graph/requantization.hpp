// From real scales to the integers of targets/runtime/ARITHMETIC.md. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "harness/core/result.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay {

/// Real scaling of one output channel, in steps of the output: y = multiplier * (acc - zero share)
/// + offset + zero point.
struct ChannelScaling {
  double multiplier = 0;  ///< s_in * s_w / s_out
  double offset = 0;      ///< bias / s_out
};

/// What had to be done to weights so that one P and one R serve every channel.
struct ChannelChanges {
  int constant = 0;   ///< channels whose output never changes: weights set to 0
  int coarsened = 0;  ///< channels whose weights were halved at least once
};

/// Fills layer.requantization (and changes weights as ARITHMETIC.md says) for a convolution,
/// depthwise or dense layer whose weights and clamp limits are set; one scaling per output channel.
/// `element` is that of the tensors, int8 or int16. Errors: bad_input, a phrase about the layer,
/// for scales that are not finite or out of range.
Result<ChannelChanges> requantize_channels(IntegerLayer& layer,
                                           std::span<const ChannelScaling> channels,
                                           std::int8_t input_zero, std::int8_t output_zero,
                                           Element element = Element::int8);

/// One input of a sum of products.
struct SumTerm {
  double multiplier = 0;  ///< s_i / s_out (average pool: / window size)
  int zero_point = 0;
  std::int64_t elements = 1;  ///< added up before the multiplication: the window's positions
};

/// For add (two terms) and average pool (one). Errors: bad_input as above.
Result<Requantization> requantize_sum(std::span<const SumTerm> terms, std::int8_t output_zero,
                                      Element element = Element::int8);

/// For multiply; `ratio` is s_a * s_b / s_out. Errors: bad_input as above.
Result<Requantization> requantize_product(double ratio, std::int8_t output_zero,
                                          Element element = Element::int8);

/// For concat; one term for each input, `elements` 1. Errors: bad_input as above.
Result<Requantization> requantize_parts(std::span<const SumTerm> inputs, std::int8_t output_zero,
                                        Element element = Element::int8);

}  // namespace assay
