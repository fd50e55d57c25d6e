// Cortex-M7: two instructions a cycle, in order, when they fit together. Arm publishes no cycle
// table; pairing and latencies are third-party measurements on an STM32H743, which agree with
// LLVM's ARMScheduleM7.td. A register has a time for each use of it, because the pipeline reads an
// address or a shifted operand a stage before an adder, and an accumulator a stage after.
#include <algorithm>

#include "boards/virtual/cycle_costs.hpp"
#include "boards/virtual/cycle_model.hpp"

namespace assay::virtual_board {
namespace {

struct Costs {
  std::uint32_t divide = 0, system = 0, exception = 0;
  std::uint32_t float_result = 0, float_divide = 0;
  std::uint32_t mispredicted_branch = 0, unaligned_load = 0;
};

constexpr std::array keys{
    CostKey<Costs>{"divide", &Costs::divide},
    CostKey<Costs>{"system", &Costs::system},
    CostKey<Costs>{"exception", &Costs::exception},
    CostKey<Costs>{"float_result", &Costs::float_result},
    CostKey<Costs>{"float_divide", &Costs::float_divide},
    CostKey<Costs>{"mispredicted_branch", &Costs::mispredicted_branch},
    CostKey<Costs>{"unaligned_load", &Costs::unaligned_load},
};

constexpr std::size_t register_count = 48;

enum class Kind {
  alu,
  load,
  store,
  load_multiple,
  store_multiple,
  branch,
  mac,
  divide,
  real,
  system
};

Kind kind_of(const Instruction& it) {
  switch (it.operation) {
    case Operation::multiply:
    case Operation::multiply_long:
    case Operation::mac:
      return Kind::mac;
    case Operation::divide:
      return Kind::divide;
    case Operation::load:
      return it.multiple ? Kind::load_multiple : Kind::load;
    case Operation::store:
      return it.multiple ? Kind::store_multiple : Kind::store;
    case Operation::branch:
    case Operation::branch_link:
    case Operation::branch_register:
      return Kind::branch;
    case Operation::system:
    case Operation::barrier:
      return Kind::system;
    case Operation::float_alu:
    case Operation::float_mac:
    case Operation::float_divide:
      return Kind::real;
    case Operation::alu:
    case Operation::if_then:
      return Kind::alu;
  }
  return Kind::alu;
}

bool leaves(const Instruction& it) {
  return kind_of(it) == Kind::branch || it.loads_pc;
}

/// The cycle from which a register may be used by each kind of reader.
struct ReadyTimes {
  std::uint32_t late = 0;         ///< an adder or a branch
  std::uint32_t early = 0;        ///< an address, a shifted or bit-field operand
  std::uint32_t product = 0;      ///< a factor
  std::uint32_t accumulator = 0;  ///< added to a product; data of a store
};

template <class Each>
void for_each_register(RegisterSet set, Each each) {
  for (std::size_t i = 0; set != 0; ++i, set >>= 1)
    if (set & 1) each(i);
}

/// One stretch on its way through the two slots.
class Scoreboard {
 public:
  explicit Scoreboard(const Costs& costs) : costs_(costs) {}

  /// Issues the next instruction and returns the cycles until it and all before it are issued.
  std::uint32_t issue(const Step& step) {
    const Instruction& it = *step.it;
    const std::uint32_t earliest = std::max(operands_ready(it), code_ready(step));
    const bool behind_taken = older_ && leaves(*older_) && step.reached_by_branch;
    if (older_ && !younger_ && earliest == now_ && !behind_taken && fits(*older_, it)) {
      younger_ = &it;
    } else {
      now_ = older_ ? std::max(earliest, now_ + 1) : earliest;
      older_ = &it;
      older_taken_ = step.taken;
      younger_ = nullptr;
    }
    const bool alone = !younger_;
    note_results(it, ready_early(it) && (alone || it.operands.is(shift)));
    occupy(it);
    return now_ + 1;
  }

 private:
  // The code comes eight bytes a cycle, a few cycles ahead; a taken branch starts it anew.
  std::uint32_t code_ready(const Step& step) {
    constexpr std::uint32_t cycles_ahead = 3;
    if (step.reached_by_branch) {
      window_ = step.address / 8;
      fetched_ = older_ ? now_ + 1 : now_;
    }
    for (const auto last = (step.address + step.it->size - 1) / 8; window_ < last; ++window_)
      fetched_ = std::max(fetched_ + 1, now_ > cycles_ahead ? now_ - cycles_ahead : 0);
    return fetched_;
  }

  std::uint32_t operands_ready(const Instruction& it) const {
    const Operands& operands = it.operands;
    const Kind kind = kind_of(it);
    std::uint32_t ready = now_;
    for_each_register(operands.address,
                      [&](std::size_t r) { ready = std::max(ready, ready_[r].early); });
    for_each_register(operands.accumulator,
                      [&](std::size_t r) { ready = std::max(ready, ready_[r].accumulator); });
    for_each_register(operands.sources, [&](std::size_t r) {
      const ReadyTimes& times = ready_[r];
      const bool is_early = operands.early >> r & 1;
      ready = std::max(ready, kind == Kind::mac     ? times.product
                              : kind == Kind::store ? times.accumulator
                              : is_early            ? times.early
                                                    : times.late);
    });
    return ready;
  }

  /// An add or a shift whose operands are there early is done in the first stage.
  bool ready_early(const Instruction& it) const {
    bool ready = kind_of(it) == Kind::alu;
    for_each_register(it.operands.sources,
                      [&](std::size_t r) { ready = ready && ready_[r].early <= now_; });
    return ready;
  }

  bool fits(const Instruction& older, const Instruction& younger) const {
    return units_free(older, younger) && data_flows(older, younger);
  }

  bool units_free(const Instruction& older, const Instruction& younger) const {
    const Kind one = kind_of(older), two = kind_of(younger);
    for (Kind kind : {one, two})
      if (kind == Kind::load_multiple || kind == Kind::store_multiple || kind == Kind::divide ||
          kind == Kind::system)
        return false;
    const bool stays = older.operation == Operation::branch && older.conditional && !older_taken_;
    if (leaves(older) && !stays) return false;
    if (one == two &&
        (one == Kind::store || one == Kind::mac || one == Kind::branch || one == Kind::real))
      return false;
    if ((one == Kind::mac && two == Kind::store) || (one == Kind::store && two == Kind::mac))
      return false;
    if (older.operands.is(bit_field) && younger.operands.is(bit_field)) return false;
    if (uses_shifter(older) && uses_shifter(younger)) return false;
    return !(one == Kind::load && two == Kind::load && same_bank(older, younger));
  }

  static bool uses_shifter(const Instruction& it) {
    return it.operands.is(shifted) || (it.operands.is(bit_field) && it.operands.early != 0);
  }

  // The data memory has two banks, even and odd words. Only equal bases tell.
  static bool same_bank(const Instruction& one, const Instruction& two) {
    if (one.address.base < 0 || one.address.base != two.address.base) return false;
    if (one.address.index >= 0 || two.address.index >= 0) return false;
    return (one.address.offset >> 2 & 1) == (two.address.offset >> 2 & 1);
  }

  // What the older one makes, the younger one of a pair may only use late: as data of a store, or
  // as an accumulator when an adder makes it.
  static bool data_flows(const Instruction& older, const Instruction& younger) {
    const Operands &one = older.operands, &two = younger.operands;
    const RegisterSet made = one.results | one.base_update;
    if (made & (two.results | two.base_update)) return false;
    if (two.is(reads_flags) && one.is(sets_flags) && kind_of(younger) != Kind::branch) return false;
    if (made & two.address) return false;
    if (kind_of(younger) == Kind::store) return true;
    if (made & two.sources) return false;
    return !(made & two.accumulator) || kind_of(older) == Kind::alu;
  }

  ReadyTimes results_of(const Instruction& it, bool first_stage) const {
    const Operands& operands = it.operands;
    const std::uint32_t t = now_;
    switch (kind_of(it)) {
      case Kind::load:
        if (operands.is(narrow)) return {t + 2, t + 3, t + 2, t + 1};
        return {t + 1, t + 2, t + 2, t + 1};
      case Kind::load_multiple: {
        const std::uint32_t cycles = (it.words + 1u) / 2;
        return {t + cycles, t + cycles + 1, t + cycles + 1, t + cycles};
      }
      case Kind::mac:
        return {t + 2, t + 3, t + 2, t + 1};
      case Kind::real: {
        const std::uint32_t ready = t + costs_.float_result;
        return {ready, ready, ready, ready};
      }
      default:
        break;
    }
    const bool quick =
        first_stage && !operands.is(shifted) && (operands.is(simple) || operands.is(shift));
    return {t + 1, quick ? t + 1 : t + 2, t + 1, t};
  }

  void note_results(const Instruction& it, bool first_stage) {
    const ReadyTimes times = results_of(it, first_stage);
    const ReadyTimes base{now_ + 1, now_ + 1, now_ + 1, now_ + 1};
    for_each_register(it.operands.base_update, [&](std::size_t r) { ready_[r] = base; });
    for_each_register(it.operands.results, [&](std::size_t r) { ready_[r] = times; });
  }

  /// Instructions that keep both slots for more than a cycle.
  void occupy(const Instruction& it) {
    const Kind kind = kind_of(it);
    if (kind == Kind::load_multiple || kind == Kind::store_multiple)
      now_ += std::max((it.words + 1u) / 2, 1u) - 1;
    if (kind == Kind::divide) now_ += costs_.divide - 1;
    if (kind == Kind::system) now_ += costs_.system - 1;
    if (it.operation == Operation::float_divide) now_ += costs_.float_divide - 1;
  }

  const Costs& costs_;
  std::array<ReadyTimes, register_count> ready_{};
  std::uint32_t now_ = 0;
  const Instruction* older_ = nullptr;  ///< issued in cycle `now_`, with `younger_`
  const Instruction* younger_ = nullptr;
  bool older_taken_ = false;
  std::uint32_t window_ = 0;
  std::uint32_t fetched_ = 0;
};

class CycleModelM7 final : public CycleModel {
 public:
  explicit CycleModelM7(const Costs& costs) : costs_(costs) {}

  void run(const FetchPath&, std::span<const Step> steps,
           std::span<std::uint32_t> done) const override {
    Scoreboard scoreboard(costs_);
    for (std::size_t i = 0; i < steps.size(); ++i)
      done[i] = scoreboard.issue(steps[i]);
  }

  std::uint32_t exception() const override { return costs_.exception; }
  std::uint32_t mispredicted_branch() const override { return costs_.mispredicted_branch; }
  std::uint32_t unaligned_load() const override { return costs_.unaligned_load; }

 private:
  Costs costs_;
};

}  // namespace

Result<std::unique_ptr<CycleModel>> make_cycle_model_m7(const Core& core) {
  ASSAY_TRY(const Costs costs, read_costs(core, keys));
  if (costs.divide == 0 || costs.system == 0 || costs.float_divide == 0)
    return fail(
        ErrorKind::bad_input,
        fmt::format("core {}: divide, system and float_divide take a cycle at least", core.name));
  return std::make_unique<CycleModelM7>(costs);
}

}  // namespace assay::virtual_board
