// The walk over an ONNX graph that builds an integer network. Inner part of lowering; lower.cpp
// holds the walk and what it does at scales, lower_operators.cpp the operators between them and
// lower_combinations.cpp those that combine activations or apply a function to them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/result.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/graph/pending_layer.hpp"
#include "targets/graph/qdq.hpp"
#include "targets/graph/sliding_window.hpp"

namespace assay::lowering {

// What a name stands for while the nodes are walked.
struct FloatInput {};  ///< the network's float input, before its QuantizeLinear
struct Activation {    ///< an int8 tensor of the graph
  int tensor = 0;
  bool flat = false;         ///< seen as [N, rest]
  bool is_float = false;     ///< behind its DequantizeLinear
  bool is_unsigned = false;  ///< uint8 in the file
};
struct Probabilities {  ///< a Softmax, left to the host
  Activation logits;
};
struct Constant {
  QuantizedConstant constant;
  bool is_float = false;
};
using Value = std::variant<FloatInput, Activation, Probabilities, Constant, PendingLayer>;

/// Walks a model once and builds its integer network.
class Lowering {
 public:
  explicit Lowering(const onnx::Model& model) : model_(model) {}
  Result<IntegerGraph> run();

 private:
  using Handler = Status (Lowering::*)(const onnx::Node&);
  static const std::map<std::string, Handler>& handlers();

  Status read_input();
  Status visit(const onnx::Node& node);
  Status find_output();

  Status quantize(const onnx::Node& node);
  Status quantize_input(const onnx::Node& node, const OutputScale& out);
  Status quantize_layer(const onnx::Node& node, const OutputScale& out);
  void note_shift();
  Status dequantize(const onnx::Node& node);
  Status convolution(const onnx::Node& node);
  Status gemm(const onnx::Node& node);
  Status matmul(const onnx::Node& node);
  Status add(const onnx::Node& node);
  Status multiply(const onnx::Node& node);
  Status concat(const onnx::Node& node);
  Status function(const onnx::Node& node);
  Status max_pool(const onnx::Node& node);
  Status average_pool(const onnx::Node& node);
  Status global_average_pool(const onnx::Node& node);
  Status relu(const onnx::Node& node);
  Status clip(const onnx::Node& node);
  Status flatten(const onnx::Node& node);
  Status reshape(const onnx::Node& node);
  Status softmax(const onnx::Node& node);
  Status identity(const onnx::Node& node);

  const Value* find(const std::string& name) const;
  Status define(const onnx::Node& node, Value value);
  Result<Activation> activation(const onnx::Node& node, std::size_t index) const;
  Result<const QuantizedConstant*> weights(const onnx::Node& node, std::size_t index) const;
  std::optional<std::vector<double>> real_constant(const std::string& name) const;
  Status add_bias(const onnx::Node& node, PendingLayer& pending, const std::string& name) const;
  Status pool(const onnx::Node& node, IntegerOp op, const Activation& input,
              const PlacedWindow& placed);
  Status limit(const onnx::Node& node, double low, double high);
  Status define_flat(const onnx::Node& node);
  Result<double> clip_bound(const onnx::Node& node, std::size_t index, const char* attribute,
                            double fallback) const;

  const onnx::Model& model_;
  IntegerGraph graph_;
  std::map<std::string, Value> values_;
  bool has_input_ = false;
  bool noted_shift_ = false;
};

}  // namespace assay::lowering
