// How a network is trained. Free of Torch. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

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

std::string_view to_string(Schedule schedule);
Json to_json(const TrainSettings& settings);
/// Absent fields take their defaults; problems go to the object's JsonErrors.
TrainSettings read_train_settings(JsonObject& object);
/// The same for a step that starts from a trained network: it may have no epochs.
TrainSettings read_further_train_settings(JsonObject& object);

/// How many images of a training split of `available` a training sees. Errors: bad_input when more
/// are asked for, or they do not fill one batch.
Result<int> images_of(const TrainSettings& settings, int available);
/// The steps of a whole training on so many images.
std::int64_t steps_of(const TrainSettings& settings, int images);

/// The rate of step `step` of `steps` under a schedule whose peak is `peak`.
double scheduled_rate(Schedule schedule, double peak, std::int64_t step, std::int64_t steps);

}  // namespace assay
