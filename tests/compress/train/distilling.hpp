// Settings of a distillation, for tests.
#pragma once

#include "compress/methods/distillation.hpp"

namespace assay::testing_models {

inline DistillSettings distilling(double alpha, double beta, double temperature,
                                  bool t_squared = true) {
  DistillSettings settings;
  settings.alpha = alpha;
  settings.beta = beta;
  settings.temperature = temperature;
  settings.t_squared = t_squared;
  return settings;
}

}  // namespace assay::testing_models
