// The first kernels of a network, and strips where these need too much RAM. Pure; thread-safe.
#pragma once

#include "targets/graph/strip_choice.hpp"
#include "targets/pack/deployment.hpp"

namespace assay {

/// The first kernels; with layers in strips where they have no room otherwise. Where no strips give
/// them room those with the smallest arena, as far as it is smaller than without.
KernelChoice choose_in_room(const IntegerGraph& graph, const Core& core, const RamRoom& room);

/// Why layers run in strips that as a whole need `whole` bytes: "the layers as a whole need 34000
/// bytes of RAM, 1000 more than the budget of 33000", or "... more than the part has room for".
std::string why_strips(Bytes whole, std::optional<Bytes> budget);

/// "the layers need at least 34000 bytes of RAM, 1000 more than the budget of 33000"
std::string over_budget(Bytes least, Bytes budget);

}  // namespace assay
