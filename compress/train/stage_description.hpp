// What one run of the worker is asked to do, as values and as the STAGE.json that assay writes and
// assay-train reads. Free of Torch. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compress/data/augment.hpp"
#include "compress/methods/clustering.hpp"
#include "compress/methods/distillation.hpp"
#include "compress/methods/pruning.hpp"
#include "compress/methods/quant_noise.hpp"
#include "compress/methods/quantize_settings.hpp"
#include "compress/models/model_spec.hpp"
#include "compress/train/cpu_level.hpp"
#include "compress/train/train_settings.hpp"
#include "compress/train/transfer_start.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// What every training has, whatever it starts from.
struct Learning {
  TrainSettings settings;
  AugmentSettings augment;
  std::optional<DistillSettings> distill;
  /// logits.bin of a LogitsStage for each teacher, or, where the outputs have to be computed for
  /// every batch (augmentation, hints), the teachers' models. With `distill` one of them is given.
  std::vector<std::filesystem::path> teacher_logits;
  std::vector<std::filesystem::path> teacher_models;
  std::uint64_t seed = 1;
};

/// A network that is trained at the same time as its student.
struct JointTeacherChoice {
  ModelChoice model;
  std::uint64_t seed = 1;
};

/// Reads a network that was trained elsewhere, ONNX or TorchScript, as one for the data set:
/// model.onnx (compress/models/foreign_network).
struct ImportStage {
  std::filesystem::path file;
  std::string sha256;  ///< what the file's content must hash to
};

/// Trains a network, a new one or an imported one: model.onnx (float32, batch normalization not
/// folded) and training.json; with a joint teacher teacher.onnx too.
struct TrainStage {
  std::variant<ModelChoice, TransferStart> start;
  Learning learning;
  std::optional<JointTeacherChoice> joint_teacher;
  std::optional<NoiseSettings> noise;
};

/// Prunes a trained network while it goes on learning: model.onnx, training.json. Without epochs
/// the target is reached at once and nothing is learned.
struct PruneStage {
  std::filesystem::path model;
  PruneSettings settings;
  Learning learning;
};

/// Clusters a trained network's weights and fine-tunes the centroids: model.onnx (batch
/// normalization folded, clustered weights behind DequantizeLinear), training.json. Without epochs
/// the centroids stay where they are found.
struct ClusterStage {
  std::filesystem::path model;
  ClusterSettings settings;
  Learning learning;
};

/// Runs a float model over the unaugmented training split: logits.bin and logits.json.
struct LogitsStage {
  std::filesystem::path model;
};

/// Quantizes a float model: model.onnx and quantization.json. With settings that say so the network
/// learns to be quantized first: training.json.
struct QuantizeStage {
  std::filesystem::path model;
  QuantizeSettings settings;
  Learning learning;  ///< only when settings.training is not none
};

/// Accuracy of a float or QDQ model on the validation and the test split: evaluation.json.
struct EvaluateStage {
  std::filesystem::path model;
};

/// One run of the worker. `threads`, `cpu` and `device` change the last bits of every result, so
/// they belong to its identity; an absent `cpu` is this machine's best.
struct StageDescription {
  std::string data = "fashion-mnist";
  std::string fingerprint = {};  ///< that the data must have; empty: any
  int threads = 1;
  CpuLevel cpu = best_cpu_level();
  std::string device = "cpu";  ///< or "cuda"
  std::variant<TrainStage, PruneStage, ClusterStage, LogitsStage, QuantizeStage, EvaluateStage,
               ImportStage>
      work;
};

/// "train", "prune", "cluster", "logits", "quantize", "evaluate" or "import".
std::string_view kind_of(const StageDescription& stage);

/// Every field is written, defaults too.
Json to_json(const StageDescription& stage);

/// Errors: bad_input with the path of the bad field: unknown, missing, of the wrong type, out of
/// range, or of another kind of stage. `source` names the document.
Result<StageDescription> parse_stage(const Json& json, const std::string& source);

}  // namespace assay
