// Code generation: one C++ file per model, a struct of constants per layer and a straight-line
// run() over template kernels, implementing targets/runtime/model.hpp. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/core/part.hpp"
#include "harness/core/result.hpp"
#include "harness/core/units.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/pack/deployment.hpp"

namespace assay {

/// What was generated for one layer.
struct GeneratedLayer {
  std::string name;    ///< of the IntegerLayer
  std::string kernel;  ///< row of the kernel table: "conv.dsp"
  WeightForm form;
  Macs macs;
  Bytes constants;
  Bytes scratch;
};

struct GeneratedModel {
  std::string source;  ///< the C++ file; includes only headers of targets/runtime/
  std::vector<GeneratedLayer> layers;
  Bytes weight_bytes;  ///< packed constants in flash
  Bytes arena_bytes;   ///< the static arena: tensors and scratch
  Bytes arena_lower_bound;
  Bytes scratch_bytes;  ///< largest scratch, part of the arena
  Macs macs;
  Bytes input_bytes;   ///< int8 elements of the input
  Bytes output_bytes;  ///< int8 logits
};

/// Generates the model's code for `core` (nullptr: the host). `model_sha256` is the ONNX file's
/// hash, 64 hex digits, which the code carries as model_hash. The same arguments give the same
/// text. Errors: bad_input for a hash that is none, or from deploy().
Result<GeneratedModel> generate(const IntegerGraph& graph, const Core* core,
                                std::string_view model_sha256, const KernelChoice& choice = {});

}  // namespace assay
