// Code generation for a trial: a firmware that calls every kernel that may run a layer on its own
// (targets/runtime/trial.hpp), so that a virtual board can say what each costs. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/result.hpp"
#include "targets/build/generate.hpp"
#include "targets/pack/kernel.hpp"

namespace assay {

/// One kernel on one layer of a network.
struct TrialEntry {
  std::size_t layer = 0;  ///< index into IntegerGraph::layers
  const KernelRow* kernel = nullptr;
};

/// The trial of these entries, in place of the network's own code. Errors: bad_input for a hash
/// that is none.
Result<GeneratedModel> generate_trial(const IntegerGraph& graph,
                                      std::span<const TrialEntry> entries,
                                      std::string_view model_sha256);

/// The requests for the entries 0 .. count - 1, one behind the other.
std::vector<std::int8_t> trial_requests(std::size_t count);
/// What a trial answers to the request for an entry of that layer, by the reference kernels.
std::vector<std::int8_t> trial_answer(const IntegerGraph& graph, std::size_t layer);

/// Bytes of the code of entry `index` of a trial: of its kernel and of everything instantiated for
/// it, by the image's functions.
Bytes trial_code_bytes(const std::map<std::string, Bytes>& functions, std::size_t index);

}  // namespace assay
