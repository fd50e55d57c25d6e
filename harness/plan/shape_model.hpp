// Networks without training: what can be known of a model's size before it exists. Sizes depend on
// shapes alone, so zero weights tell them exactly. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "compress/models/model_spec.hpp"
#include "compress/onnx/model.hpp"
#include "harness/plan/config.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay {

/// The float32 model of a choice with all weights zero. Errors: bad_input.
Result<onnx::Model> untrained_model(const ModelChoice& choice, const std::string& data);
/// The same as it is trained: batch normalization stands on its own.
Result<onnx::Model> untrained_network(const ModelChoice& choice, const std::string& data);

/// The float32 model that a configuration's student starts from: a family's with all weights zero,
/// or that of an ONNX file, with a new head where the configuration asks for one. Nothing for a
/// TorchScript file, which only the worker reads. Errors: bad_input, also when the file does not
/// fit the data set.
Result<std::optional<onnx::Model>> student_model(const Config& config);
/// The same as it is trained: batch normalization stands on its own.
Result<std::optional<onnx::Model>> student_network(const Config& config);

/// The network of a configuration's student in its scheme, of ranges nothing was seen in. Errors:
/// bad_input, also for a student whose shapes are not known before it is imported.
Result<IntegerGraph> untrained_graph(const Config& config);

/// What a plan has to know of a configuration's student.
struct StudentShape {
  /// Why the device's kernels cannot compute every layer of the final model; empty when they can,
  /// so that it can go to boards and the host evaluates it bit for bit.
  std::string missing_kernel;
  /// Multiply-accumulates of one inference. Absent for a file whose layers are not all known here.
  std::optional<Macs> macs;
};

/// Errors: bad_input when the network cannot be built or read.
Result<StudentShape> student_shape(const Config& config);

/// Bytes of the float32 ONNX file that compression ratios are taken against: of the student's
/// family without cuts and at full width, or of the network that was read. Absent for a TorchScript
/// file. Errors: bad_input.
Result<std::optional<double>> reference_model_bytes(const Config& config);

}  // namespace assay
