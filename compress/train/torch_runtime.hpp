// Torch as a whole: its threads and what it runs on.
#pragma once

#include "harness/core/json.hpp"

namespace assay {

/// Threads inside an operator; operators never run beside each other. Call it once, before any
/// work.
void set_torch_threads(int threads);

/// What changes the bits of a training besides its settings: {"torch", "cpu_capability",
/// "threads"}.
Json torch_environment();

}  // namespace assay
