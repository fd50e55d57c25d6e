// The network between an ONNX file and generated code: NHWC tensors of int8 or int16 and layers
// with the requantization of targets/runtime/ARITHMETIC.md, or tensors of float32 and layers that
// compute in float. Plain values.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "harness/core/element.hpp"
#include "harness/core/result.hpp"
#include "harness/core/units.hpp"

namespace assay {

/// An activation tensor, height x width x channels. int8 and int16: real = scale * (q -
/// zero_point), of int16 the zero point is 0; float32: the real number itself, scale 1 and zero
/// point 0.
struct ActivationTensor {
  std::string name;
  int height = 1;
  int width = 1;
  int channels = 1;
  float scale = 1;
  std::int8_t zero_point = 0;
  Element element = Element::int8;
  /// Elements.
  std::int64_t size() const { return std::int64_t(height) * width * channels; }
  std::int64_t bytes() const { return size() * static_cast<std::int64_t>(size_of(element)); }
};

enum class IntegerOp {
  convolution,
  depthwise,
  dense,
  max_pool,
  average_pool,
  add,
  multiply,  ///< element by element; a second input of 1x1xC serves every position
  concat,    ///< along the channels
  lookup,    ///< any function of one element
};

/// A function of one element, with the attributes of its ONNX operator.
struct ElementFunction {
  enum class Kind { sigmoid, tanh, hard_sigmoid, hard_swish, leaky_relu, elu };
  Kind kind = Kind::sigmoid;
  float alpha = 0;
  float beta = 0;
};

std::string_view to_string(IntegerOp op);

/// Sliding window; padding may differ by side.
struct Window {
  int kernel_height = 1;
  int kernel_width = 1;
  int stride_height = 1;
  int stride_width = 1;
  int pad_top = 0;
  int pad_left = 0;
  int pad_bottom = 0;
  int pad_right = 0;
};

/// Convolution, depthwise, dense: y = clamp((((acc + bias) >> P) * m) >> R), per output channel;
/// bias holds the real bias, the input zero point's share, the output zero point and both
/// roundings. Add and average pool: y = clamp((sum of m_i * a_i + bias) >> R), P is 0. Multiply:
/// y = clamp(((a - z_a) * (b - z_b) * m + bias) >> R). Concat: y = clamp((m_i * a_i + bias_i) >>
/// R). See ARITHMETIC.md, also for the widths, which depend on the tensors' element.
struct Requantization {
  int accumulator_shift = 0;  ///< P, per layer
  int output_shift = 0;       ///< R, per layer
  /// m < 2^15, of int16 tensors < 2^31; one per output channel (add, concat: one per input)
  std::vector<std::int32_t> multiplier;
  /// b'; one per output channel (concat: one per input; others: one). Fits int32 but where int16
  /// tensors have sums in 64 bits.
  std::vector<std::int64_t> bias;
};

/// What a layer over float32 tensors computes with, in place of requantization, table and integer
/// limits: y = clamp(sum * scale + bias), see ARITHMETIC.md. Weights are float32, float16 or int8.
struct FloatParameters {
  std::vector<float> weights;  ///< of float32 and float16, in the order of IntegerLayer::weights
  bool half = false;           ///< the weights are float16 numbers and take two bytes each
  std::vector<float> scale;    ///< of int8 weights, one per output channel; average pool: one
  std::vector<float> bias;     ///< one per output channel
  float clamp_min = -std::numeric_limits<float>::infinity();
  float clamp_max = std::numeric_limits<float>::infinity();
  ElementFunction function;  ///< of a lookup, which is computed and has no table
};

/// One layer. Weights: convolution [out][kh][kw][in], depthwise [kh][kw][channel], dense
/// [out][height][width][in] in the input tensor's NHWC order; values in [-127, 127].
struct IntegerLayer {
  std::string name;  ///< the ONNX node it came from
  IntegerOp op = IntegerOp::convolution;
  std::vector<int> inputs;  ///< indices into IntegerGraph::tensors
  int output = 0;
  Window window;
  std::vector<std::int8_t> weights;
  /// lookup: 256 results, of int16 tensors the 513 points between which results are interpolated
  std::vector<std::int16_t> table;
  Requantization requantization;  ///< unused by max_pool and lookup
  std::int16_t clamp_min = -128;  ///< fused ReLU and ReLU6; within the element's range
  std::int16_t clamp_max = 127;
  Macs macs;             ///< nominal multiply-accumulates
  FloatParameters real;  ///< of a layer over float32 tensors
};

/// A network in execution order; its tensors have one type of element.
struct IntegerGraph {
  std::vector<ActivationTensor> tensors;
  std::vector<IntegerLayer> layers;
  int input = 0;
  int output = 0;
  std::vector<std::string> notices;  ///< what lowering changed and the user should know
};

/// What the network computes in: "int8", "int16" or "float32".
std::string_view arithmetic_of(const IntegerGraph& graph);

}  // namespace assay
