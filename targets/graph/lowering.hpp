// The walk over an ONNX graph that builds a network. Inner part of lowering; lower.cpp
// holds the walk and what it does at scales, lower_float.cpp what it does where there are none,
// lower_operators.cpp the operators between them and lower_combinations.cpp those that combine
// activations or apply a function to them.
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

/// Elements.
constexpr std::int64_t largest_tensor = std::int64_t(1) << 26;

// What a name stands for while the nodes are walked.
struct FloatInput {};  ///< an integer network's float input, before its QuantizeLinear
struct Activation {    ///< a tensor of the graph
  int tensor = 0;
  bool flat = false;         ///< seen as [N, rest]
  bool is_float = false;     ///< behind its DequantizeLinear, or float32 itself
  bool is_unsigned = false;  ///< uint8 in the file
};
struct Probabilities {  ///< a Softmax, left to the host
  Activation logits;
};
struct Constant {
  QuantizedConstant constant;
  bool is_float = false;
};
using Value =
    std::variant<FloatInput, Activation, Probabilities, Constant, RealConstant, PendingLayer>;

/// Walks a model once and builds its network: in int8 where activations pass through
/// QuantizeLinear, in float32 where they do not.
class Lowering {
 public:
  explicit Lowering(const onnx::Model& model) : model_(model) {}
  Result<IntegerGraph> run();

 private:
  using Handler = Status (Lowering::*)(const onnx::Node&);
  static const std::map<std::string, Handler>& handlers();

  bool has_integer_activations() const;
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

  // Float networks: a layer is finished when nothing more can be fused into it.
  const onnx::Node* only_reader(const std::string& name) const;
  bool may_grow(const PendingLayer& layer, const std::string& name) const;
  Status settle(const onnx::Node& node, PendingLayer pending);
  Status cast(const onnx::Node& node);

  const Value* find(const std::string& name) const;
  Status define(const onnx::Node& node, Value value);
  Result<Activation> activation(const onnx::Node& node, std::size_t index) const;
  Result<WeightConstant> weights(const onnx::Node& node, std::size_t index) const;
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
  bool in_float_ = false;
  bool has_input_ = false;
  bool noted_shift_ = false;
};

}  // namespace assay::lowering
