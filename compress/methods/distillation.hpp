// Knowledge distillation: a student learns from the labels and from a teacher. Free of Torch; the
// loss itself is compress/train/losses. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "compress/onnx/model.hpp"
#include "harness/core/json.hpp"

namespace assay {

enum class TeacherTraining {
  fixed,  ///< the teacher was trained before and stays as it is
  joint,  ///< the teacher is trained at the same time, by its own cross-entropy with the labels
};

/// L = alpha * CE(y, z) + beta * T^2 * KL(softmax(z_t / T) || softmax(z / T)), mean over the batch
/// (Hinton et al., 2015, section 2); a regression has alpha * MSE(y, z) + beta * MSE(z_t, z)
/// instead. Hints add hint_weight * mean over the pairs of MSE(teacher's feature, r(student's
/// feature)), where r is a learned 1x1 convolution when the channels differ (Romero et al., 2015,
/// equation 3).
struct DistillSettings {
  double alpha = 0.5;
  double beta = 0.5;
  double temperature = 4;  ///< T; "T" in JSON
  bool t_squared = true;   ///< false leaves out the factor T^2
  TeacherTraining teacher = TeacherTraining::fixed;
  double hint_weight = 1;
  /// Student layer and teacher layer, by name: their outputs are compared.
  std::vector<std::pair<std::string, std::string>> hints;
};

Json to_json(const DistillSettings& settings);
/// Absent fields take their defaults; problems go to the object's JsonErrors.
DistillSettings read_distill_settings(JsonObject& object);

/// The tensor that a node of a network puts out. Errors: bad_input for an unknown node, naming the
/// known ones; `source` names the network.
Result<std::string> output_of(const onnx::Model& model, const std::string& node,
                              const std::string& source);

/// One side of a hint: a tensor and its shape for one image, [C][H][W] or [C].
struct HintFeature {
  std::string tensor;
  std::vector<std::int64_t> shape;
};

/// bad_input unless two features differ in their channels at most.
Status check_hint(const HintFeature& student, const HintFeature& teacher);

}  // namespace assay
