// What one run of the worker is asked to do, as values and as the STAGE.json that assay writes and
// assay-train reads. Free of Torch. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "compress/models/model_spec.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// How the learning rate moves over the steps of a training.
enum class Schedule {
  one_cycle,  ///< linear warm-up over the first fifth, then linear decay to zero (Smith, 2018)
  linear,     ///< linear decay to zero from the first step
  constant,
};

/// Settings of a training with AdamW (Loshchilov and Hutter, 2019). The defaults are a recipe for
/// small image sets: few epochs, high accuracy for the time.
struct TrainSettings {
  int epochs = 5;
  int batch = 128;               ///< images a step; a last incomplete batch of an epoch is dropped
  double learning_rate = 0.008;  ///< the schedule's peak
  double weight_decay = 0.05;    ///< decoupled; biases and batch normalization are exempt
  Schedule schedule = Schedule::one_cycle;
  std::optional<int> images;  ///< only the first so many images of the training split
};

/// L = alpha * CE(y, z) + beta * T^2 * KL(softmax(z_t / T) || softmax(z / T)), mean over the batch
/// (Hinton et al., 2015, section 2).
struct DistillSettings {
  double alpha = 0.5;
  double beta = 0.5;
  double temperature = 4;  ///< T; "T" in JSON
  bool t_squared = true;   ///< false leaves out the factor T^2
};

/// How a range is taken from the activations of the calibration images.
enum class Observer {
  min_max,         ///< smallest and largest value seen
  moving_average,  ///< exponential moving average of each batch's extremes
  percentile,      ///< central 99.99 % of the values
  mse,             ///< the range with the least squared error after quantization
};

/// Post-training quantization to int8.
struct QuantizeSettings {
  Observer observer = Observer::min_max;
  int samples = 512;  ///< first so many images of the calibration split
};

/// Trains a network and writes model.onnx (float32) and training.json.
struct TrainStage {
  ModelChoice model;
  TrainSettings settings;
  std::optional<DistillSettings> distill;
  std::filesystem::path teacher_logits;  ///< logits.bin of a LogitsStage; only with `distill`
  std::uint64_t seed = 1;
};

/// Runs a float model over the unaugmented training split: logits.bin and logits.json.
struct LogitsStage {
  std::filesystem::path model;
};

/// Quantizes a float model: model.onnx (QDQ) and quantization.json.
struct QuantizeStage {
  std::filesystem::path model;
  QuantizeSettings settings;
};

/// Accuracy of a float or QDQ model on the validation and the test split: evaluation.json.
struct EvaluateStage {
  std::filesystem::path model;
};

/// x86 instruction sets that libraries choose kernels by. Each rounds differently.
enum class CpuLevel { baseline, avx2, avx512 };

/// The highest level this machine has.
CpuLevel best_cpu_level();

/// One run of the worker. `threads` and `cpu` change the last bits of every result, so they belong
/// to its identity; an absent `cpu` is this machine's best.
struct StageDescription {
  std::string data = "fashion-mnist";
  int threads = 1;
  CpuLevel cpu = best_cpu_level();
  std::variant<TrainStage, LogitsStage, QuantizeStage, EvaluateStage> work;
};

/// "train", "logits", "quantize" or "evaluate".
std::string_view kind_of(const StageDescription& stage);
std::string_view to_string(Schedule schedule);
std::string_view to_string(Observer observer);
std::string_view to_string(CpuLevel level);

/// Every field is written, defaults too.
Json to_json(const StageDescription& stage);
Json to_json(const TrainSettings& settings);
Json to_json(const DistillSettings& settings);
Json to_json(const QuantizeSettings& settings);

/// Settings by themselves, as a matrix holds them; absent fields take their defaults. Problems go
/// to the object's JsonErrors.
TrainSettings read_train_settings(JsonObject& object);
DistillSettings read_distill_settings(JsonObject& object);
QuantizeSettings read_quantize_settings(JsonObject& object);

/// Errors: bad_input with the path of the bad field: unknown, missing, of the wrong type, out of
/// range, or of another kind of stage. `source` names the document.
Result<StageDescription> parse_stage(const Json& json, const std::string& source);

}  // namespace assay
