// The banks of RAM of a part, as memory plans see them. Pure; thread-safe.
#pragma once

#include "harness/core/part.hpp"
#include "targets/graph/bank_plan.hpp"

namespace assay {

/// The RAM that firmware's data may lie in, core-coupled banks first, then as the part's file has
/// them: all but instruction RAM. The banks share their space with the stack and the harness's
/// static data. A part with one bank has no layout: the linker says by how much its RAM is short.
RamLayout ram_layout(const Part& part, Bytes stack_reserve);

}  // namespace assay
