// Code generation: one C++ file per model, a struct of constants per layer and a straight-line
// run() over template kernels, implementing targets/runtime/model.hpp. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/core/part.hpp"
#include "harness/core/result.hpp"
#include "harness/core/units.hpp"
#include "targets/graph/bank_plan.hpp"
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

/// The part of the arena that lies in one bank of RAM.
struct GeneratedArena {
  std::string region;  ///< the linker's
  Bytes bytes;
};

struct GeneratedModel {
  std::string source;  ///< the C++ file; includes only headers of targets/runtime/
  std::vector<GeneratedLayer> layers;
  Bytes weight_bytes;  ///< packed constants in flash
  Bytes arena_bytes;   ///< the static arena: tensors and scratch, in all banks
  Bytes arena_lower_bound;
  std::vector<GeneratedArena> arenas;  ///< those that are not empty; none without banks
  std::string home;                    ///< region of stack and static data; empty without banks
  bool has_room = true;                ///< false: some bank's part of the arena exceeds the bank
  Bytes scratch_bytes;                 ///< largest scratch, part of the arena
  Macs macs;
  Bytes input_bytes;   ///< of one input
  Bytes output_bytes;  ///< of the logits
};

/// Generates the model's code for `core` (nullptr: the host). `model_sha256` is the ONNX file's
/// hash, 64 hex digits, which the code carries as model_hash. Without banks in `ram` the arena is
/// one array; with them one per bank in use, in a section of the name that the macro arena_macro()
/// has where the source is compiled, and else arena_section() gives. The same arguments give the
/// same text. Errors: bad_input for a hash that is none, or from deploy().
Result<GeneratedModel> generate(const IntegerGraph& graph, const Core* core,
                                std::string_view model_sha256, const KernelChoice& choice = {},
                                const RamLayout& ram = {});

/// The array of the arena in a region, "arena_CCM", its section, ".bss.arena.CCM", and the macro
/// that renames the section, "ASSAY_ARENA_CCM".
std::string arena_name(std::string_view region);
std::string arena_section(std::string_view region);
std::string arena_macro(std::string_view region);

}  // namespace assay
