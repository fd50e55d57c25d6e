#include "harness/plan/field.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
#include "compress/models/model_spec.hpp"
#include "compress/train/stage_description.hpp"

namespace assay {
namespace {

constexpr double any_seed = 2147483647;

std::vector<Json> as_words(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

std::vector<Field> make_fields() {
  const auto families = as_words(known_model_families());
  const TrainSettings train;
  const DistillSettings distill;
  const QuantizeSettings quantize;
  return {
      {"data", FieldType::text, as_words(known_datasets()), 0, 0, "fashion-mnist", "",
       "The data set every network is trained and tested on."},
      {"teacher.model", FieldType::text, families, 0, 0, "conv5", "",
       "The family whose whole network teaches the students."},
      {"teacher.seed", FieldType::integer, {}, 0, any_seed, 1, "ts", "Seed of the teacher's run."},
      {"teacher.epochs",
       FieldType::integer,
       {},
       1,
       10000,
       nullptr,
       "te",
       "Epochs of the teacher; train.epochs when absent."},
      {"student.model", FieldType::text, families, 0, 0, "conv5", "", "The student's family."},
      {"student.cut",
       FieldType::text,
       {"none", 5, 4},
       0,
       0,
       "none",
       "cut",
       "Layer-wise cut: \"none\", 5 (the last convolution removed) or 4 (the last two)."},
      {"student.fewer_filters_pct",
       FieldType::text,
       {0, 10, 30, 50},
       0,
       0,
       0,
       "width",
       "Per cent fewer filters in every convolution."},
      {"train.epochs",
       FieldType::integer,
       {},
       1,
       10000,
       train.epochs,
       "e",
       "Passes over the training images."},
      {"train.batch",
       FieldType::integer,
       {},
       1,
       4096,
       train.batch,
       "b",
       "Images per optimizer step."},
      {"train.learning_rate",
       FieldType::number,
       {},
       1e-9,
       10,
       train.learning_rate,
       "lr",
       "Peak learning rate of the schedule."},
      {"train.weight_decay",
       FieldType::number,
       {},
       0,
       1,
       train.weight_decay,
       "wd",
       "Decoupled weight decay; batch-normalization parameters and biases are left out."},
      {"train.schedule",
       FieldType::text,
       {"one-cycle", "linear", "constant"},
       0,
       0,
       to_string(train.schedule),
       "lr-",
       "How the learning rate moves over the run."},
      {"train.images",
       FieldType::integer,
       {},
       1,
       1e9,
       nullptr,
       "n",
       "Only the first N training images; all when absent."},
      {"distill.alpha",
       FieldType::number,
       {},
       0,
       1,
       distill.alpha,
       "a",
       "Weight of the cross-entropy with the labels."},
      {"distill.beta",
       FieldType::number,
       {"1-alpha"},
       0,
       1,
       "1-alpha",
       "B",
       "Weight of the divergence from the teacher; \"1-alpha\" ties it to alpha."},
      {"distill.T",
       FieldType::number,
       {},
       0.01,
       1000,
       distill.temperature,
       "T",
       "Temperature of both softmaxes."},
      {"distill.t_squared",
       FieldType::boolean,
       {},
       0,
       0,
       distill.t_squared,
       "t2-",
       "Scale the teacher's term by T^2, which keeps its gradient's size independent of T."},
      {"quantize.observer",
       FieldType::text,
       {"min-max", "moving-average", "percentile", "mse"},
       0,
       0,
       to_string(quantize.observer),
       "obs-",
       "How activation ranges are taken from the calibration images."},
      {"quantize.samples",
       FieldType::integer,
       {},
       1,
       512,
       quantize.samples,
       "q",
       "Calibration images."},
      {"seed", FieldType::integer, {}, 0, any_seed, 1, "s", "Seed of the student's run."},
  };
}

std::string number_text(double value) {
  return fmt::format("{:g}", value);
}

bool type_matches(FieldType type, const Json& value) {
  switch (type) {
    case FieldType::text:
      return false;  // only the words
    case FieldType::integer:
      return value.is_number() && std::trunc(value.get<double>()) == value.get<double>();
    case FieldType::number:
      return value.is_number();
    case FieldType::boolean:
      return value.is_boolean();
  }
  return false;
}

}  // namespace

std::span<const Field> config_fields() {
  static const std::vector<Field> fields = make_fields();
  return fields;
}

const Field* find_field(std::string_view path) {
  const auto fields = config_fields();
  const auto found = std::ranges::find(fields, path, &Field::path);
  return found == fields.end() ? nullptr : &*found;
}

std::string expected_values(const Field& field) {
  std::vector<std::string> ways;
  for (const auto& word : field.words)
    ways.push_back(word.dump());
  if (field.type == FieldType::boolean) ways.emplace_back("true or false");
  if (field.type == FieldType::integer || field.type == FieldType::number)
    ways.push_back(fmt::format("{} from {} to {}",
                               field.type == FieldType::integer ? "an integer" : "a number",
                               number_text(field.low), number_text(field.high)));
  return fmt::format("{}", fmt::join(ways, " or "));
}

Result<Json> normalize_value(const Field& field, const Json& value) {
  const auto word = std::ranges::find(field.words, value);
  if (word != field.words.end()) return *word;
  const bool fits = type_matches(field.type, value) &&
                    (!value.is_number() ||
                     (value.get<double>() >= field.low && value.get<double>() <= field.high));
  if (!fits)
    return fail(ErrorKind::bad_input,
                fmt::format("expected {}, found {}", expected_values(field), describe(value)));
  if (field.type == FieldType::integer) return static_cast<std::int64_t>(value.get<double>());
  if (field.type == FieldType::number) return value.get<double>();
  return value;
}

}  // namespace assay
