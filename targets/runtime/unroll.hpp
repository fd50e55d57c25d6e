// Plans unrolled loops. Shared by the packer on the host, which fills weights up to whole
// iterations, and the kernels on the device. Freestanding.
#pragma once

namespace assay::kernels {

constexpr int round_up(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// A loop of `steps` steps, `unroll` of them an iteration; steps beyond the ones asked for have
/// zero weights.
struct Unrolled {
  int steps;
  int unroll;
};

/// The cheapest loop for `steps` steps of `step_cost` instructions each, at most `max_unroll` an
/// iteration, an iteration costing three instructions more.
constexpr Unrolled plan_unroll(int steps, int max_unroll, int step_cost) {
  Unrolled best{steps, 1};
  int best_cost = steps * (step_cost + 3);
  for (int unroll = 1; unroll <= max_unroll; ++unroll) {
    const int padded = round_up(steps, unroll);
    const int cost = padded * step_cost + padded / unroll * 3;
    if (cost < best_cost) {
      best = {padded, unroll};
      best_cost = cost;
    }
  }
  return best;
}

/// Whether windows along one dimension reach over an edge of the input.
constexpr bool reaches_outside(int in, int out, int kernel, int stride, int pad) {
  return pad > 0 || (out - 1) * stride - pad + kernel > in;
}

}  // namespace assay::kernels
