// Torch as a whole: its instruction set, its threads and what it runs on.
#pragma once

#include "compress/train/stage_description.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// Holds Torch, oneDNN and OpenBLAS to one instruction set. They read it from the environment when
/// they are loaded, before main, so the program starts itself anew (`argv`, same process id) unless
/// the environment already says so. Call it first. Errors: bad_input when this machine lacks
/// `level`.
Status pin_cpu_level(CpuLevel level, char** argv);

/// Threads inside an operator; operators never run beside each other. Call it once, before any
/// work.
void set_torch_threads(int threads);

/// What changes the bits of a training besides its settings: {"torch", "cpu_capability",
/// "threads"}. The capability is null where pin_cpu_level was not called.
Json torch_environment();

}  // namespace assay
