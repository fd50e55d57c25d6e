// Modelled cycles of a stretch of instructions: one model for each kind of core, chosen by the name
// in the core's data (`cycle_model`), with its costs from the same file (`cycles`; keys and rules:
// targets/parts/README.md). Immutable after construction, thread-safe.
//
// A stretch starts with an empty pipeline. What one block costs behind another is the difference of
// two stretches, T(A+B) - T(A); see code_map.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "boards/virtual/decode.hpp"
#include "harness/core/part.hpp"

namespace assay::virtual_board {

/// One instruction on its way through the pipeline.
struct Step {
  const Instruction* it = nullptr;
  std::uint32_t address = 0;
  bool reached_by_branch = false;  ///< fetched anew: a taken branch, or the stretch begins here
  bool taken = false;              ///< a branch that goes elsewhere than to the next instruction
};

/// How instructions come from the memory they are in.
struct FetchPath {
  std::uint32_t wait_states = 0;
  bool prefetch = false;         ///< the memory reads ahead of the core
  std::uint32_t line_bytes = 0;  ///< of one access; 0: a word, and none is kept
  std::uint32_t kept_lines = 0;  ///< besides the one the core reads from and the next one
};

class CycleModel {
 public:
  virtual ~CycleModel() = default;

  /// Cycles from the start of the stretch until each of its steps is through: `done` has the size
  /// of `steps`, and never falls from one step to the next.
  virtual void run(const FetchPath& path, std::span<const Step> steps,
                   std::span<std::uint32_t> done) const = 0;
  /// Stacking and vector fetch on entry, and unstacking on return, each.
  virtual std::uint32_t exception() const = 0;
  /// Whether `run` charges the wait states of literal loads, so that they must not be charged as
  /// data again.
  virtual bool charges_literals() const { return false; }
  /// Whether `run` charges the wait states of the code; otherwise the part's factor does.
  virtual bool charges_fetches() const { return false; }
  /// Charged for each execution of a conditional branch that goes its rarer way; 0: no predictor.
  virtual std::uint32_t mispredicted_branch() const { return 0; }
  /// Charged for each load across a word boundary that is not aligned to its size.
  virtual std::uint32_t unaligned_load() const { return 0; }
};

/// The model that the core names. Errors: bad_input for a model nobody knows, an unknown key, a
/// missing key or a cost that is not a whole number.
Result<std::unique_ptr<CycleModel>> make_cycle_model(const Core& core);

/// The heirs: Cortex-M0 and M0+, M4, M7, M33. Errors: as above, of their costs.
Result<std::unique_ptr<CycleModel>> make_cycle_model_m0(const Core& core);
Result<std::unique_ptr<CycleModel>> make_cycle_model_m4(const Core& core);
Result<std::unique_ptr<CycleModel>> make_cycle_model_m7(const Core& core);
Result<std::unique_ptr<CycleModel>> make_cycle_model_m33(const Core& core);

}  // namespace assay::virtual_board
