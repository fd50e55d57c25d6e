// Whether what a configuration says of layers is true of its networks, asked before one is trained.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "compress/onnx/model.hpp"
#include "harness/plan/config.hpp"

namespace assay {

/// Checks the configurations of one plan with the functions the worker checks with, on networks of
/// the same structure without training. Networks are built, and configurations that say the same of
/// layers are checked, once. Not thread-safe.
class NetworkChecks {
 public:
  /// Errors: bad_input naming the configuration, its section and what is wrong: layers that are not
  /// there or not of a kind that can be frozen, pruned, clustered or quantized as asked; hints
  /// between features of different sizes, which of a student from a file are not known here. Of a
  /// TorchScript file nothing is.
  Status check(const Config& config);

 private:
  /// As it is trained; nothing for a TorchScript file. Lives until the next call.
  Result<const onnx::Model*> student(const Config& config);

  std::set<std::string> passed_;
  std::string student_key_;
  std::optional<onnx::Model> student_;
};

}  // namespace assay
