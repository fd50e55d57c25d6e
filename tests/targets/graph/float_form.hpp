// Quantized test models as models that compute in float, and int8 networks as int16 ones.
#pragma once

#include <vector>

#include "targets/graph/integer_graph.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay::test {

/// How the model keeps its weights.
enum class FloatForm { float32, float16, dynamic };
inline constexpr FloatForm float_forms[] = {FloatForm::float32, FloatForm::float16,
                                            FloatForm::dynamic};

/// A model of QdqBuilder without the quantization of its activations, the weights in that form.
onnx::Model in_float(const onnx::Model& quantized, FloatForm form);

/// A network of integer layers as one in float: the same layers and shapes; weights, biases and
/// limits that are like those of the integers but no round numbers.
IntegerGraph in_float(const IntegerGraph& integers, FloatForm form);

/// The same layers and shapes over int16 tensors: outputs are about 256 times as large.
IntegerGraph in_int16(const IntegerGraph& int8);

/// NCHW (or [N, C]) reals as the bytes of a float32 NHWC tensor.
std::vector<std::int8_t> float_bytes(const Real& nchw);

}  // namespace assay::test
