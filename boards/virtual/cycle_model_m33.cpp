// Cortex-M33: in order, one instruction a cycle; a second one beside it is a branch, an IT or a
// NOP, both of 16 bits. Load-use two cycles, LDM N, multiply-accumulate two cycles, a taken branch
// two and that dual issue are third-party measurements on an RP2350 (jnk0le, "pipeline cycle
// test"); Arm publishes no cycle table.
#include <algorithm>

#include "boards/virtual/cycle_costs.hpp"
#include "boards/virtual/cycle_model.hpp"

namespace assay::virtual_board {
namespace {

struct Costs {
  std::uint32_t load_use = 0, multiply_use = 0, divide = 0;
  std::uint32_t branch_taken = 0, pop_pc = 0, system = 0, exception = 0;
  std::uint32_t float_use = 0, float_divide = 0;
};

constexpr std::array keys{
    CostKey<Costs>{"load_use", &Costs::load_use},
    CostKey<Costs>{"multiply_use", &Costs::multiply_use},
    CostKey<Costs>{"divide", &Costs::divide},
    CostKey<Costs>{"branch_taken", &Costs::branch_taken},
    CostKey<Costs>{"pop_pc", &Costs::pop_pc},
    CostKey<Costs>{"system", &Costs::system},
    CostKey<Costs>{"exception", &Costs::exception},
    CostKey<Costs>{"float_use", &Costs::float_use},
    CostKey<Costs>{"float_divide", &Costs::float_divide},
};

constexpr std::size_t register_count = 48;

/// A NOP: makes nothing of nothing.
bool is_idle(const Instruction& it) {
  const Operands& operands = it.operands;
  return it.operation == Operation::alu && !it.multiple && !operands.is(sets_flags) &&
         (operands.results | operands.sources | operands.address | operands.base_update) == 0;
}

bool is_branch(const Instruction& it) {
  return it.operation == Operation::branch || it.operation == Operation::branch_link ||
         it.operation == Operation::branch_register;
}

bool is_product(const Instruction& it) {
  return it.operation == Operation::multiply || it.operation == Operation::multiply_long ||
         it.operation == Operation::mac;
}

class Pipeline {
 public:
  explicit Pipeline(const Costs& costs) : costs_(costs) {}

  std::uint32_t issue(const Step& step) {
    const Instruction& it = *step.it;
    const std::uint32_t earliest = std::max(now_, operands_ready(it));
    if (older_ && earliest < now_ + 1 && !step.reached_by_branch && fits(*older_, step)) {
      older_ = nullptr;  // both slots are full
      next_ += occupied(step) - 1;
    } else {
      now_ = std::max(earliest, next_);
      older_ = &it;
      next_ = now_ + occupied(step);
    }
    note_results(it);
    return next_;
  }

 private:
  std::uint32_t operands_ready(const Instruction& it) const {
    const Operands& operands = it.operands;
    std::uint32_t ready = 0;
    RegisterSet set = operands.sources | operands.address | operands.accumulator;
    for (std::size_t i = 0; set != 0; ++i, set >>= 1)
      if (set & 1) ready = std::max(ready, ready_[i]);
    return ready;
  }

  /// Whether a step goes beside the instruction before it. A branch that is not taken does behind
  /// any, one that is taken behind one that sets no flags.
  static bool fits(const Instruction& older, const Step& step) {
    const Instruction& younger = *step.it;
    if (older.size != 2 || younger.size != 2 || is_branch(older)) return false;
    if (younger.operation == Operation::branch)
      return (younger.conditional && !step.taken) || !older.operands.is(sets_flags);
    if (older.multiple || younger.multiple) return false;
    return younger.operation == Operation::if_then || is_idle(older) || is_idle(younger);
  }

  std::uint32_t occupied(const Step& step) const {
    const Instruction& it = *step.it;
    if (it.multiple)
      return std::max<std::uint32_t>(it.words, 1) + (it.loads_pc ? costs_.pop_pc : 0);
    if (it.operation == Operation::divide) return costs_.divide;
    if (it.operation == Operation::float_divide) return costs_.float_divide;
    if (it.operation == Operation::system || it.operation == Operation::barrier)
      return costs_.system;
    if (is_branch(it) && (step.taken || !it.conditional)) return costs_.branch_taken;
    return 1;
  }

  void note_results(const Instruction& it) {
    const bool is_float = it.operation == Operation::float_alu ||
                          it.operation == Operation::float_mac ||
                          it.operation == Operation::float_divide;
    const std::uint32_t delay = it.operation == Operation::load ? costs_.load_use
                                : is_product(it)                ? costs_.multiply_use
                                : is_float                      ? costs_.float_use
                                                                : 1;
    const std::uint32_t ready = std::max(next_, now_ + delay);
    RegisterSet set = it.operands.results;
    for (std::size_t i = 0; set != 0; ++i, set >>= 1)
      if (set & 1) ready_[i] = ready;
  }

  const Costs& costs_;
  std::array<std::uint32_t, register_count> ready_{};
  std::uint32_t now_ = 0;               ///< cycle of the last issue
  std::uint32_t next_ = 0;              ///< first cycle of the next one, alone
  const Instruction* older_ = nullptr;  ///< issued in `now_`, with a free slot beside it
};

class CycleModelM33 final : public CycleModel {
 public:
  explicit CycleModelM33(const Costs& costs) : costs_(costs) {}

  void run(const FetchPath&, std::span<const Step> steps,
           std::span<std::uint32_t> done) const override {
    Pipeline pipeline(costs_);
    for (std::size_t i = 0; i < steps.size(); ++i)
      done[i] = pipeline.issue(steps[i]);
  }

  std::uint32_t exception() const override { return costs_.exception; }

 private:
  Costs costs_;
};

}  // namespace

Result<std::unique_ptr<CycleModel>> make_cycle_model_m33(const Core& core) {
  ASSAY_TRY(const Costs costs, read_costs(core, keys));
  return std::make_unique<CycleModelM33>(costs);
}

}  // namespace assay::virtual_board
