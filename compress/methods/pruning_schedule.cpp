#include "compress/methods/pruning_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "compress/methods/settings.hpp"

namespace assay {
namespace {

using Kind = PruningSchedule::Kind;

constexpr Words<Kind, 2> kinds{{
    {Kind::constant, "constant"},
    {Kind::polynomial, "polynomial"},
}};

struct Problem {
  std::string field;
  std::string text;
};

bool in_unit_interval(double value) {
  return value >= 0 && value < 1;
}

std::optional<Problem> problem_of(const PruningSchedule& s) {
  if (!in_unit_interval(s.sparsity))
    return Problem{"sparsity", fmt::format("expected 0 to below 1, found {}", s.sparsity)};
  if (!in_unit_interval(s.initial))
    return Problem{"initial", fmt::format("expected 0 to below 1, found {}", s.initial)};
  if (!in_unit_interval(s.begin))
    return Problem{"begin", fmt::format("expected 0 to below 1, found {}", s.begin)};
  if (!(s.end > 0 && s.end <= 1))
    return Problem{"end", fmt::format("expected above 0 to 1, found {}", s.end)};
  if (s.frequency < 1)
    return Problem{"frequency", fmt::format("expected at least 1 step, found {}", s.frequency)};
  if (!(s.exponent > 0 && std::isfinite(s.exponent)))
    return Problem{"exponent", fmt::format("expected a number above 0, found {}", s.exponent)};
  if (s.kind == Kind::constant) return std::nullopt;
  if (s.end <= s.begin)
    return Problem{"end",
                   fmt::format("expected more than begin, which is {}, found {}", s.begin, s.end)};
  if (s.initial > s.sparsity)
    return Problem{"initial", fmt::format("expected at most the sparsity, which is {}, found {}",
                                          s.sparsity, s.initial)};
  return std::nullopt;
}

/// First and last step at which masks are updated.
struct Span {
  std::int64_t first;
  std::int64_t last;
};

Span span_of(const PruningSchedule& schedule, std::int64_t steps) {
  const auto step_at = [steps](double fraction) {
    return std::min<std::int64_t>(std::llround(fraction * double(steps)), steps - 1);
  };
  const std::int64_t first = step_at(schedule.begin);
  if (schedule.kind == Kind::constant) return {first, first};
  return {first, step_at(schedule.end)};
}

}  // namespace

Json to_json(const PruningSchedule& schedule) {
  Json json = {{"schedule", word_of(kinds, schedule.kind)},
               {"sparsity", schedule.sparsity},
               {"begin", schedule.begin}};
  if (schedule.kind == Kind::constant) return json;
  json["initial"] = schedule.initial;
  json["end"] = schedule.end;
  json["frequency"] = schedule.frequency;
  json["exponent"] = schedule.exponent;
  return json;
}

PruningSchedule read_pruning_schedule(JsonObject& object, double usual_sparsity) {
  PruningSchedule schedule;
  schedule.kind = read_word(object, "schedule", kinds, schedule.kind);
  schedule.sparsity = object.optional<double>("sparsity", usual_sparsity);
  schedule.begin = object.optional<double>("begin", schedule.begin);
  schedule.initial = object.optional<double>("initial", schedule.initial);
  schedule.end = object.optional<double>("end", schedule.end);
  schedule.frequency = object.optional<int>("frequency", schedule.frequency);
  schedule.exponent = object.optional<double>("exponent", schedule.exponent);
  if (const auto problem = problem_of(schedule)) object.problem(problem->field, problem->text);
  return schedule;
}

Status check_frequency(const PruningSchedule& schedule, std::int64_t steps) {
  if (schedule.kind == Kind::constant || schedule.frequency == PruningSchedule().frequency)
    return {};
  const auto [first, last] = span_of(schedule, steps);
  if (schedule.frequency <= last - first) return {};
  return fail(
      ErrorKind::bad_input,
      fmt::format("frequency: the {} steps from begin to end hold no update every {} steps; "
                  "give a frequency of at most {}, or the schedule \"constant\"",
                  last - first, schedule.frequency, std::max<std::int64_t>(1, last - first)));
}

Result<std::vector<PruningUpdate>> pruning_updates(const PruningSchedule& schedule,
                                                   std::int64_t steps) {
  if (const auto problem = problem_of(schedule))
    return fail(ErrorKind::bad_input,
                fmt::format("pruning schedule: {}: {}", problem->field, problem->text));
  if (steps < 1)
    return fail(ErrorKind::bad_input,
                fmt::format("pruning schedule: a run of {} steps never prunes; train for at least "
                            "one step",
                            steps));
  const auto [first, last] = span_of(schedule, steps);
  std::vector<PruningUpdate> updates;
  for (std::int64_t step = first; step < last; step += schedule.frequency) {
    const double progress = double(step - first) / double(last - first);
    updates.push_back({step, schedule.sparsity + (schedule.initial - schedule.sparsity) *
                                                     std::pow(1 - progress, schedule.exponent)});
  }
  updates.push_back({last, schedule.sparsity});
  return updates;
}

}  // namespace assay
