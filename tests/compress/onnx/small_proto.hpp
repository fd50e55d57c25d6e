// Models as other programs write them, built with protobuf's own classes.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"

namespace assay::onnx {

/// input [N, 4] -> Add w -> Relu -> output, in opset 17; no node has a name.
::onnx::ModelProto small_proto();

/// Makes it a float tensor; an extent below zero stays open.
void describe(::onnx::ValueInfoProto& value, const std::string& name,
              std::vector<std::int64_t> shape);

/// Each adds one of the kind and returns it.
::onnx::NodeProto& add_node(::onnx::ModelProto& model, const std::string& op,
                            std::vector<std::string> inputs, const std::string& output);
::onnx::TensorProto& add_initializer(::onnx::ModelProto& model, const std::string& name, int type,
                                     std::vector<std::int64_t> shape);
::onnx::AttributeProto& add_attribute(::onnx::NodeProto& node, const std::string& name,
                                      ::onnx::AttributeProto::AttributeType type);

/// Reads its bytes as the file some.onnx.
Result<Model> parse(const ::onnx::ModelProto& proto);
/// The same of a model that must be good.
Model parse_good(const ::onnx::ModelProto& proto);

}  // namespace assay::onnx
