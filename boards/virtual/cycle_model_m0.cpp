// Cortex-M0 and M0+: every instruction has its cost (Arm DDI 0432C table 3-1, DDI 0484C table 3-1),
// and waits for its code, which comes over the one bus there is: in words of 32 bits, or in lines
// that the flash keeps a few of.
#include <algorithm>
#include <vector>

#include "boards/virtual/cycle_costs.hpp"
#include "boards/virtual/cycle_model.hpp"

namespace assay::virtual_board {
namespace {

struct Costs {
  std::uint32_t alu = 0, multiply = 0, load = 0, store = 0, multiple = 0, multiple_word = 0;
  std::uint32_t branch_taken = 0, branch_not_taken = 0, branch_link = 0, branch_register = 0;
  std::uint32_t pop_pc = 0, system = 0, exception = 0;
};

constexpr std::array keys{
    CostKey<Costs>{"alu", &Costs::alu},
    CostKey<Costs>{"multiply", &Costs::multiply},
    CostKey<Costs>{"load", &Costs::load},
    CostKey<Costs>{"store", &Costs::store},
    CostKey<Costs>{"multiple", &Costs::multiple},
    CostKey<Costs>{"multiple_word", &Costs::multiple_word},
    CostKey<Costs>{"branch_taken", &Costs::branch_taken},
    CostKey<Costs>{"branch_not_taken", &Costs::branch_not_taken},
    CostKey<Costs>{"branch_link", &Costs::branch_link},
    CostKey<Costs>{"branch_register", &Costs::branch_register},
    CostKey<Costs>{"pop_pc", &Costs::pop_pc},
    CostKey<Costs>{"system", &Costs::system},
    CostKey<Costs>{"exception", &Costs::exception},
};

/// When each word of the code is there. A word takes one cycle and the wait states, and its
/// successor follows at once; a memory that reads ahead has the successor ready a cycle later.
class WordFetch {
 public:
  explicit WordFetch(const FetchPath& path) : path_(path) {}

  /// The cycle at which an instruction that could start at `now` has come in whole.
  std::uint32_t arrival(const Step& step, std::uint32_t now) {
    if (path_.wait_states == 0) return now;
    if (step.reached_by_branch) {
      word_ = step.address / 4;
      ready_ = busy_until_ = now + path_.wait_states;
    }
    for (const std::uint32_t last = (step.address + step.it->size - 1) / 4; word_ < last; ++word_) {
      ready_ = path_.prefetch ? ready_ + 1 : std::max(busy_until_, ready_) + 1 + path_.wait_states;
      busy_until_ = ready_;
    }
    return std::max(now, ready_);
  }

  /// A literal is read between the words of the code. Returns its wait states.
  std::uint32_t literal(std::uint32_t now) {
    if (path_.wait_states != 0) busy_until_ = std::max(busy_until_, now + path_.wait_states);
    return path_.wait_states;
  }

 private:
  FetchPath path_;
  std::uint32_t word_ = 0;
  std::uint32_t ready_ = 0;
  std::uint32_t busy_until_ = 0;
};

/// When each line of the code is there. A line takes one cycle and the wait states; while the core
/// reads from it, the next one is read ahead. Lines that the core had to wait for are kept, the
/// least recently used goes first (RM0444 3.3.5).
class LineFetch {
 public:
  explicit LineFetch(const FetchPath& path) : path_(path) {}

  /// The cycle at which an instruction that could start at `now` has come in whole.
  std::uint32_t arrival(const Step& step, std::uint32_t now) {
    if (path_.wait_states == 0) return now;
    go_to(step.address / path_.line_bytes, now);
    go_to((step.address + step.it->size - 1) / path_.line_bytes, now);
    return std::max(now, ready_);
  }

  /// A literal is read before the line that is being read ahead. Returns its wait states.
  std::uint32_t literal(std::uint32_t now) {
    if (path_.wait_states != 0 && next_ready_ > now) next_ready_ += path_.wait_states + 1;
    return path_.wait_states;
  }

 private:
  void go_to(std::uint32_t line, std::uint32_t now) {
    if (line == line_) return;
    if (path_.prefetch && line == line_ + 1) {
      ready_ = next_ready_;
      if (ready_ > now) keep(line);
    } else if (!keep(line)) {
      ready_ = now + path_.wait_states;
    } else {
      ready_ = now;
    }
    line_ = line;
    const bool next_is_kept = std::ranges::find(kept_, line + 1) != kept_.end();
    next_ready_ = std::max(ready_, now) + (next_is_kept ? 0 : 1 + path_.wait_states);
  }

  /// Makes `line` the most recently used; false when it was not kept before.
  bool keep(std::uint32_t line) {
    const auto found = std::ranges::find(kept_, line);
    const bool known = found != kept_.end();
    if (known) kept_.erase(found);
    kept_.insert(kept_.begin(), line);
    if (kept_.size() > path_.kept_lines) kept_.pop_back();
    return known;
  }

  static constexpr std::uint32_t no_line = ~0u - 1;
  FetchPath path_;
  std::uint32_t line_ = no_line;
  std::uint32_t ready_ = 0;
  std::uint32_t next_ready_ = 0;
  std::vector<std::uint32_t> kept_;
};

class CycleModelM0 final : public CycleModel {
 public:
  explicit CycleModelM0(const Costs& costs) : costs_(costs) {}

  void run(const FetchPath& path, std::span<const Step> steps,
           std::span<std::uint32_t> done) const override {
    if (path.line_bytes == 0)
      walk(WordFetch(path), steps, done);
    else
      walk(LineFetch(path), steps, done);
  }

  std::uint32_t exception() const override { return costs_.exception; }
  bool charges_literals() const override { return true; }
  bool charges_fetches() const override { return true; }

 private:
  template <class Fetch>
  void walk(Fetch fetch, std::span<const Step> steps, std::span<std::uint32_t> done) const {
    std::uint32_t now = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      now = fetch.arrival(steps[i], now) + cost(steps[i]);
      if (steps[i].it->operands.is(literal)) now += fetch.literal(now);
      done[i] = now;
    }
  }

  std::uint32_t cost(const Step& step) const {
    const Instruction& it = *step.it;
    switch (it.operation) {
      case Operation::multiply:
        return costs_.multiply;
      case Operation::load:
        return (it.multiple ? costs_.multiple + costs_.multiple_word * it.words : costs_.load) +
               (it.loads_pc ? costs_.pop_pc : 0);
      case Operation::store:
        return it.multiple ? costs_.multiple + costs_.multiple_word * it.words : costs_.store;
      case Operation::branch:
        return step.taken || !it.conditional ? costs_.branch_taken : costs_.branch_not_taken;
      case Operation::branch_link:
        return costs_.branch_link;
      case Operation::branch_register:
        return costs_.branch_register;
      case Operation::system:
      case Operation::barrier:
        return costs_.system;
      default:
        return costs_.alu;
    }
  }

  Costs costs_;
};

}  // namespace

Result<std::unique_ptr<CycleModel>> make_cycle_model_m0(const Core& core) {
  ASSAY_TRY(const Costs costs, read_costs(core, keys));
  return std::make_unique<CycleModelM0>(costs);
}

}  // namespace assay::virtual_board
