// TensorProto to Tensor, trusting nothing in it. Pure function, thread-safe.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "compress/onnx/model.hpp"

namespace assay::onnx {

/// Whether a name is UTF-8 without control characters, as records and terminals need it.
bool is_text(const std::string& name);

/// A name from a file as it may appear in a message: in quotes, cut to a readable length, what is
/// no text replaced.
std::string in_quotes(const std::string& name);

/// Converts a constant kept in raw_data or in a typed field. `where` ("model.onnx: initializer
/// 'w'") starts every message. Errors: bad_input for external data, segments, an element type or
/// shape assay cannot hold, more or fewer elements than the shape says, values outside the element
/// type.
Result<Tensor> read_tensor(const ::onnx::TensorProto& proto, const std::string& where);

}  // namespace assay::onnx
