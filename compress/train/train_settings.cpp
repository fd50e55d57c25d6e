#include "compress/train/train_settings.hpp"

#include "compress/methods/settings.hpp"

namespace assay {
namespace {

constexpr double warm_up_part = 0.2;

constexpr Words<Schedule, 3> schedules{{
    {Schedule::one_cycle, "one-cycle"},
    {Schedule::linear, "linear"},
    {Schedule::constant, "constant"},
}};

TrainSettings read_settings(JsonObject& object, int fewest_epochs) {
  TrainSettings settings;
  settings.epochs = read_count(object, "epochs", settings.epochs, 100'000, fewest_epochs);
  settings.batch = read_count(object, "batch", settings.batch, 65'536);
  settings.learning_rate = read_real(object, "learning_rate", settings.learning_rate, false);
  settings.weight_decay = read_real(object, "weight_decay", settings.weight_decay, true);
  settings.schedule = read_word(object, "schedule", schedules, settings.schedule);
  settings.images = object.maybe<int>("images");
  if (settings.images && *settings.images < settings.batch)
    object.problem("images", fmt::format("{} images do not fill one batch of {}", *settings.images,
                                         settings.batch));
  return settings;
}

}  // namespace

std::string_view to_string(Schedule schedule) {
  return word_of(schedules, schedule);
}

Json to_json(const TrainSettings& settings) {
  Json json = {{"epochs", settings.epochs},
               {"batch", settings.batch},
               {"learning_rate", settings.learning_rate},
               {"weight_decay", settings.weight_decay},
               {"schedule", to_string(settings.schedule)}};
  if (settings.images) json["images"] = *settings.images;
  return json;
}

TrainSettings read_train_settings(JsonObject& object) {
  return read_settings(object, 1);
}

TrainSettings read_further_train_settings(JsonObject& object) {
  return read_settings(object, 0);
}

Result<int> images_of(const TrainSettings& settings, int available) {
  const int images = settings.images.value_or(available);
  if (images > available)
    return fail(ErrorKind::bad_input,
                fmt::format("train.images is {}, but the training split has {} images: give a "
                            "smaller train.images",
                            images, available));
  if (images >= settings.batch) return images;
  const std::string what = settings.images
                               ? fmt::format("train.images is {}", images)
                               : fmt::format("the training split has {} images", images);
  return fail(ErrorKind::bad_input,
              fmt::format("{}, fewer than one batch of {}: give a smaller train.batch", what,
                          settings.batch));
}

std::int64_t steps_of(const TrainSettings& settings, int images) {
  return std::int64_t(settings.epochs) * (images / settings.batch);
}

double scheduled_rate(Schedule schedule, double peak, std::int64_t step, std::int64_t steps) {
  const double done = double(step) / double(steps);
  switch (schedule) {
    case Schedule::one_cycle:
      if (done < warm_up_part) return peak * double(step + 1) / (warm_up_part * double(steps) + 1);
      return peak * (1 - done) / (1 - warm_up_part);
    case Schedule::linear:
      return peak * (1 - done);
    case Schedule::constant:
      return peak;
  }
  return peak;
}

}  // namespace assay
