// Second opinion on lowering: runs the nodes of a QDQ model as ONNX defines them, one after the
// other in double precision and NCHW, knowing nothing of fusion, integer accumulators or NHWC.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay::test {

/// A real tensor, row-major. Quantized tensors hold their integers.
struct Real {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

using RealMap = std::map<std::string, Real>;

/// Every value of the model for one input. Throws std::runtime_error for an operator it lacks.
RealMap simulate(const onnx::Model& model, const Real& input);

/// NCHW (or [N, C]) integers to int8 NHWC; `shift` is 128 for uint8 tensors.
std::vector<std::int8_t> to_nhwc(const Real& quantized, int shift);
/// The bytes of int16 integers in that order.
std::vector<std::int8_t> wide_to_nhwc(const Real& quantized);

}  // namespace assay::test
