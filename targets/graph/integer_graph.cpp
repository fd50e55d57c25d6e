#include "targets/graph/integer_graph.hpp"

namespace assay {

std::string_view to_string(IntegerOp op) {
  switch (op) {
    case IntegerOp::convolution:
      return "convolution";
    case IntegerOp::depthwise:
      return "depthwise";
    case IntegerOp::dense:
      return "dense";
    case IntegerOp::max_pool:
      return "max pool";
    case IntegerOp::average_pool:
      return "average pool";
    case IntegerOp::add:
      return "add";
    case IntegerOp::multiply:
      return "multiply";
    case IntegerOp::concat:
      return "concat";
    case IntegerOp::lookup:
      return "lookup";
  }
  return "unknown";
}

std::string_view arithmetic_of(const IntegerGraph& graph) {
  return to_string(graph.tensors.at(static_cast<std::size_t>(graph.input)).element);
}

}  // namespace assay
