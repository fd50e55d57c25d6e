// The C++ text of layers that run strip by strip: a struct of rows for every tensor between them,
// as targets/runtime/strip_rows.hpp says, and the loop over the strips. Pure; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "targets/build/layer_source.hpp"
#include "targets/graph/strips.hpp"

namespace assay {

inline constexpr std::string_view strip_header = "targets/runtime/strip_rows.hpp";

/// What strips read and write.
struct StripPlaces {
  ArenaPlace entry;                 ///< the whole tensor
  std::vector<ArenaPlace> buffers;  ///< one per StripPlan::tensors
  ArenaPlace exit;                  ///< the whole tensor
  std::vector<ArenaPlace> scratch;  ///< one per layer of the range
};

/// Writes a struct per tensor of `plan.tensors`.
void put_strip_rows(SourceText& text, const IntegerGraph& graph, const StripPlan& plan);

/// Writes the loop; layer i of the network has the struct Layer<i> and the kernel deployed[i].
void put_strip_loop(SourceText& text, const IntegerGraph& graph, const StripPlan& plan,
                    std::span<const DeployedLayer> deployed, const StripPlaces& places);

}  // namespace assay
