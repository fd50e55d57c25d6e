// How each operator of TorchScript is written in ONNX. Include only where Torch is wanted. Not
// thread-safe.
#pragma once

#include <ATen/core/ivalue.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay {

/// One argument of an operator as it was called.
struct ScriptArgument {
  c10::IValue value;
  std::string name;  ///< of a tensor computed from the image: its ONNX value; of a parameter: its
                     ///< path in the module; otherwise empty
  bool computed = false;           ///< from the image
  std::vector<std::string> names;  ///< of a list of tensors, the ONNX values
};

/// A call that an image, or what was computed from one, went into.
struct ScriptCall {
  std::string op;  ///< "conv2d", without namespace and without the _ of an in-place operator
  std::vector<ScriptArgument> arguments;
  at::Tensor output;
};

/// Thrown by ScriptWriter only: why a call has no form in ONNX.
struct UnsupportedCall {
  std::string why;
};

/// Builds the nodes of an ONNX model.
class ScriptWriter {
 public:
  /// Adds the nodes of one call; returns the name of the value they put out. Throws
  /// UnsupportedCall; c10::Error when an argument has another type than the operator's.
  std::string write(const ScriptCall& call);

  onnx::Model& model() { return model_; }

  /// A float32 constant with a name like `wanted`; returns its name.
  std::string constant(const std::string& wanted, const at::Tensor& value);
  /// The weights of a layer. Throws UnsupportedCall when an earlier layer had them: trained, the
  /// two would part.
  std::string weights(const std::string& wanted, const at::Tensor& value);
  /// A node named like `wanted`, its one output named as it; returns that name.
  std::string node(const std::string& op_type, const std::string& wanted,
                   std::vector<std::string> inputs,
                   std::map<std::string, onnx::Attribute> attributes = {});
  /// The ONNX value of a tensor argument, a constant when it is not computed.
  std::string input(const ScriptArgument& argument);

 private:
  std::string unused(const std::string& wanted);

  onnx::Model model_;
  std::set<std::string> taken_{"input"};  ///< by the model's input
  std::set<const void*> used_weights_;
};

}  // namespace assay
