// Cortex-M33: in order, one instruction a cycle, or two 16-bit ones that do not depend on each
// other. Load-use two cycles, LDM N, multiply-accumulate two cycles, narrow-only dual issue are
// third-party observations; Arm publishes no cycle table, and no published point was checked.
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

bool is_access(const Instruction& it) {
  return it.operation == Operation::load || it.operation == Operation::store;
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
    if (older_ && earliest < now_ + 1 && !step.reached_by_branch && fits(*older_, it)) {
      older_ = nullptr;  // both slots are full
    } else {
      now_ = std::max(earliest, next_);
      older_ = &it;
    }
    next_ = std::max(next_, now_ + occupied(step));
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

  static bool fits(const Instruction& older, const Instruction& younger) {
    if (older.size != 2 || younger.size != 2 || older.multiple || younger.multiple) return false;
    if (is_branch(older) || (is_access(older) && is_access(younger))) return false;
    if (is_product(older) || is_product(younger)) return false;
    const RegisterSet made = older.operands.results | older.operands.base_update;
    const Operands& two = younger.operands;
    if (made & (two.sources | two.address | two.results)) return false;
    return !(two.is(reads_flags) && older.operands.is(sets_flags));
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
