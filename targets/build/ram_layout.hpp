// The banks of RAM of a part, as memory plans see them. Pure; thread-safe.
#pragma once

#include "harness/core/part.hpp"
#include "targets/graph/strip_choice.hpp"

namespace assay {

/// The RAM that firmware's data may lie in, core-coupled banks first, then as the part's file has
/// them: all but instruction RAM. The banks share their space with the stack and the harness's
/// static data. A part with one bank has no layout: the linker says by how much its RAM is short.
RamLayout ram_layout(const Part& part, Bytes stack_reserve);

/// The room of a part, its only bank too, with no more than the budget of it taken. Under Linux the
/// budget alone.
RamRoom ram_room(const Part& part, Bytes stack_reserve, std::optional<Bytes> budget = {});

}  // namespace assay
