// When a training updates its pruning masks, and to which sparsity. Pure functions, thread-safe.
//
// A run has the steps 0 .. steps - 1. An update at step t happens before the forward pass of that
// step. The first is at t0 = round(begin * steps), the last at t1 = round(end * steps), or at the
// last step where that lies beyond it; between them one every `frequency` steps. The update at t1
// always happens, so the target is reached whether or not the frequency divides the span, and also
// by a run that is shorter than one period: its masks are updated at t0 and t1 only.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/json.hpp"

namespace assay {

/// How the sparsity rises to its target. Fractions are of the run's steps.
struct PruningSchedule {
  enum class Kind {
    constant,    ///< the target at once, at `begin`; masks that only grow need no second update
    polynomial,  ///< s_f + (s_i - s_f) (1 - p)^exponent, p = (t - t0) / (t1 - t0)
  };
  Kind kind = Kind::polynomial;  ///< "schedule" in JSON
  double sparsity = 0.75;        ///< s_f, in [0, 1)
  double begin = 0;
  // Of the polynomial schedule only (Zhu and Gupta, 2017, equation 1).
  double initial = 0;   ///< s_i, at most s_f
  double end = 0.5;     ///< after begin
  int frequency = 100;  ///< steps from one update to the next
  double exponent = 3;
};

/// Fields that the kind does not use are left out, so that equal schedules have equal JSON.
Json to_json(const PruningSchedule& schedule);
/// Problems go to the object's JsonErrors under the field's name. Fields that the kind does not use
/// are read and checked all the same: a matrix may sweep "schedule" over both kinds. Where no
/// sparsity is given it is `usual_sparsity`.
PruningSchedule read_pruning_schedule(JsonObject& object,
                                      double usual_sparsity = PruningSchedule{}.sparsity);

/// bad_input for a polynomial schedule whose frequency, other than the usual one, is longer than
/// the steps between its begin and its end in a run of `steps`: nothing would be pruned before the
/// end, at once, as by a constant schedule.
Status check_frequency(const PruningSchedule& schedule, std::int64_t steps);

/// One update of the masks as a run executes it.
struct PruningUpdate {
  std::int64_t step = 0;
  double sparsity = 0;

  bool operator==(const PruningUpdate&) const = default;
};

/// All updates of a run, in order. Errors: bad_input for a value out of range, an end that is not
/// after the begin, and a run without steps, which would never prune.
Result<std::vector<PruningUpdate>> pruning_updates(const PruningSchedule& schedule,
                                                   std::int64_t steps);

}  // namespace assay
