// Cortex-M4: one instruction after the other, loads and stores pipelined behind their neighbours.
// Costs: Arm 100166, tables 3-1 and 7-1. What a load or store costs behind another, the early
// address register and the branch target across a word are third-party measurements on an
// STM32F407; the refill of the pipeline, P = 2, was fitted on Embench.
#include "boards/virtual/cycle_costs.hpp"
#include "boards/virtual/cycle_model.hpp"

namespace assay::virtual_board {
namespace {

struct Costs {
  std::uint32_t alu = 0, multiply = 0, divide = 0;
  std::uint32_t load = 0, load_behind_load = 0, load_behind_store = 0, address_wait = 0;
  std::uint32_t store = 0, store_register_offset = 0, store_behind_load = 0;
  std::uint32_t multiple = 0, multiple_word = 0;
  std::uint32_t branch_taken = 0, branch_not_taken = 0, branch_link = 0, branch_register = 0;
  std::uint32_t branch_table = 0, branch_target_split = 0, pop_pc = 0;
  std::uint32_t system = 0, exception = 0;
  std::uint32_t float_alu = 0, float_mac = 0, float_divide = 0;
};

constexpr std::array keys{
    CostKey<Costs>{"alu", &Costs::alu},
    CostKey<Costs>{"multiply", &Costs::multiply},
    CostKey<Costs>{"divide", &Costs::divide},
    CostKey<Costs>{"load", &Costs::load},
    CostKey<Costs>{"load_behind_load", &Costs::load_behind_load},
    CostKey<Costs>{"load_behind_store", &Costs::load_behind_store},
    CostKey<Costs>{"address_wait", &Costs::address_wait},
    CostKey<Costs>{"store", &Costs::store},
    CostKey<Costs>{"store_register_offset", &Costs::store_register_offset},
    CostKey<Costs>{"store_behind_load", &Costs::store_behind_load},
    CostKey<Costs>{"multiple", &Costs::multiple},
    CostKey<Costs>{"multiple_word", &Costs::multiple_word},
    CostKey<Costs>{"branch_taken", &Costs::branch_taken},
    CostKey<Costs>{"branch_not_taken", &Costs::branch_not_taken},
    CostKey<Costs>{"branch_link", &Costs::branch_link},
    CostKey<Costs>{"branch_register", &Costs::branch_register},
    CostKey<Costs>{"branch_table", &Costs::branch_table},
    CostKey<Costs>{"branch_target_split", &Costs::branch_target_split},
    CostKey<Costs>{"pop_pc", &Costs::pop_pc},
    CostKey<Costs>{"system", &Costs::system},
    CostKey<Costs>{"exception", &Costs::exception},
    CostKey<Costs>{"float_alu", &Costs::float_alu},
    CostKey<Costs>{"float_mac", &Costs::float_mac},
    CostKey<Costs>{"float_divide", &Costs::float_divide},
};

bool is_single(const Instruction* it, Operation operation) {
  return it && it->operation == operation && !it->multiple;
}

class CycleModelM4 final : public CycleModel {
 public:
  explicit CycleModelM4(const Costs& costs) : costs_(costs) {}

  void run(const FetchPath&, std::span<const Step> steps,
           std::span<std::uint32_t> done) const override {
    std::uint32_t now = 0;
    const Instruction* before = nullptr;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Step& step = steps[i];
      now += waits(step, before, i == 0) + cost(step, before);
      done[i] = now;
      before = step.it;
    }
  }

  std::uint32_t exception() const override { return costs_.exception; }

 private:
  /// Cycles in which the instruction cannot start.
  std::uint32_t waits(const Step& step, const Instruction* before, bool first) const {
    const Instruction& it = *step.it;
    std::uint32_t cycles = 0;
    const bool split = it.size == 4 && step.address % 4 == 2;
    if (step.reached_by_branch && !first && split) cycles += costs_.branch_target_split;
    const bool accesses = it.operation == Operation::load || it.operation == Operation::store;
    if (accesses && needs_result(it, before)) cycles += costs_.address_wait;
    return cycles;
  }

  // The address is needed a cycle before other operands; a base written back is there in time.
  static bool needs_result(const Instruction& it, const Instruction* before) {
    return before && !(before->operation == Operation::load && before->multiple) &&
           (it.operands.address & before->operands.results);
  }

  std::uint32_t cost(const Step& step, const Instruction* before) const {
    const Instruction& it = *step.it;
    switch (it.operation) {
      case Operation::multiply:
      case Operation::multiply_long:
      case Operation::mac:
        return costs_.multiply;
      case Operation::divide:
        return costs_.divide;
      case Operation::load:
        return load_cost(it, before);
      case Operation::store:
        return store_cost(it, before);
      case Operation::branch:
        if (it.operands.is(table)) return costs_.branch_table;
        return step.taken || !it.conditional ? costs_.branch_taken : costs_.branch_not_taken;
      case Operation::branch_link:
        return costs_.branch_link;
      case Operation::branch_register:
        return costs_.branch_register;
      case Operation::system:
      case Operation::barrier:
        return costs_.system;
      case Operation::float_alu:
        return costs_.float_alu;
      case Operation::float_mac:
        return costs_.float_mac;
      case Operation::float_divide:
        return costs_.float_divide;
      case Operation::if_then:  // folded into a 16-bit instruction before it (3.3.1)
        return before && before->size == 2 ? 0 : costs_.alu;
      case Operation::alu:
        return costs_.alu;
    }
    return costs_.alu;
  }

  std::uint32_t load_cost(const Instruction& it, const Instruction* before) const {
    if (it.multiple)
      return costs_.multiple + costs_.multiple_word * it.words + (it.loads_pc ? costs_.pop_pc : 0);
    const bool waited =
        is_single(before, Operation::load) &&
        (it.operands.address & (before->operands.results | before->operands.base_update));
    std::uint32_t cycles = costs_.load;
    if (before && before->operation == Operation::load && !waited) cycles = costs_.load_behind_load;
    if (is_single(before, Operation::store)) cycles = costs_.load_behind_store;
    return cycles + (it.loads_pc ? costs_.pop_pc : 0);
  }

  std::uint32_t store_cost(const Instruction& it, const Instruction* before) const {
    if (it.multiple) return costs_.multiple + costs_.multiple_word * it.words;
    const bool indexed = it.operands.is(register_offset);
    const std::uint32_t alone = indexed ? costs_.store_register_offset : costs_.store;
    if (!is_single(before, Operation::load)) return alone;
    return alone - costs_.store + costs_.store_behind_load;
  }

  Costs costs_;
};

}  // namespace

Result<std::unique_ptr<CycleModel>> make_cycle_model_m4(const Core& core) {
  ASSAY_TRY(const Costs costs, read_costs(core, keys));
  return std::make_unique<CycleModelM4>(costs);
}

}  // namespace assay::virtual_board
