#include "harness/run/kernel_selection.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/run/kernel_arena.hpp"
#include "targets/build/layer_source.hpp"
#include "targets/pack/form_support.hpp"
#include "targets/pack/strip_deployment.hpp"

namespace assay {
namespace {

/// What can be chosen for a layer: indices into its tried kernels.
using Options = std::vector<std::size_t>;

Bytes flash_of(const TriedKernel& tried) {
  return tried.constants + tried.code.value_or(Bytes(0));
}

/// The decision under way: what may still be chosen for each layer.
class Selector {
 public:
  Selector(const IntegerGraph& graph, const Core& core, Trial trial, const DeployGoal& goal,
           const Pace& pace, const RamLayout& ram)
      : trial_(std::move(trial)),
        goal_(goal),
        ram_limit_(least_of(trial_.ram_left, goal.ram_budget)),
        arena_(graph, core, trial_, {ram.banks.empty() ? ram_limit_ : goal.ram_budget, ram}) {
    if (goal.latency_budget) cycle_budget_ = pace.cycles_in(*goal.latency_budget);
  }

  Result<Picks> choose() {
    arena_.choose_strips();
    ASSAY_CHECK(check_ram_budget(arena_.smallest()));
    set_time_of_strips_aside();
    take_on_strips();
    refuse_what_exceeds_ram();
    find_options();
    for (;;) {
      Picks picks = choose_by_cost();
      if (drop_largest_scratch(picks)) continue;
      ASSAY_CHECK(check_ram_budget(picks));
      return picks;
    }
  }

  /// Why kernel `other` of a layer was not taken.
  std::string why_not(std::size_t layer, std::size_t chosen, std::size_t other) const {
    const TriedKernel& a = trial_.layers[layer][chosen];
    const TriedKernel& b = trial_.layers[layer][other];
    if (!b.refused.empty()) return b.refused;
    if (!a.ran() || !b.ran()) return "was not run";
    const auto [slower, larger] = differences(a, b);
    const bool worse_work = b.work() > a.work(), worse_flash = flash_of(b) > flash_of(a);
    if (worse_work && worse_flash) return slower + ", " + larger;
    if (!worse_work && !worse_flash)
      return b.work() == a.work() && flash_of(b) == flash_of(a) ? "costs the same"
                                                                : "with others over a budget";
    const bool better_as_asked = goal_.optimize == Optimize::latency ? !worse_work : !worse_flash;
    if (goal_.optimize == Optimize::balanced || b.work() == a.work() ||
        flash_of(b) == flash_of(a) || !better_as_asked)
      return worse_work ? slower : larger;
    return goal_.optimize == Optimize::latency ? larger + ": exceeds the flash budget"
                                               : slower + ": exceeds the latency budget";
  }

  const Trial& trial() const { return trial_; }
  const KernelArena& arena() const { return arena_; }
  /// What kernels cost as they were tried, and strips by their estimate.
  KernelCost cost_of(const Picks& picks) const {
    KernelCost sum{Bytes(0), time_of_strips()};
    for (std::size_t layer = 0; layer < picks.size(); ++layer) {
      const TriedKernel& tried = trial_.layers[layer][picks[layer]];
      sum.flash += flash_of(tried);
      sum.cycles += Cycles(tried.work());
    }
    return sum;
  }
  /// Whether the kernels chosen keep flash and latency as they were tried, one by one.
  bool within_budgets() const { return within_budgets_; }

 private:
  static std::optional<Bytes> least_of(std::optional<Bytes> a, std::optional<Bytes> b) {
    return a && b ? std::min(a, b) : (a ? a : b);
  }

  Status check_ram_budget(const Picks& picks) const {
    if (!goal_.ram_budget) return {};
    const Bytes arena = arena_.with(picks);
    if (arena <= *goal_.ram_budget) return {};
    return fail(ErrorKind::bad_input, over_budget(arena, *goal_.ram_budget));
  }

  /// Layers were tried as a whole. What strips cost beyond that is an estimate, in instructions: a
  /// cycle each, about what the cores take.
  Cycles time_of_strips() const {
    return Cycles(static_cast<std::uint64_t>(arena_.instructions_of_strips()));
  }
  void set_time_of_strips_aside() {
    if (cycle_budget_) cycle_budget_ = *cycle_budget_ - std::min(*cycle_budget_, time_of_strips());
  }

  /// Layers in strips have other scratch, and kernels that do not take so few rows. Whether the
  /// layer as a whole overflowed the RAM says nothing of its strips.
  void take_on_strips() {
    for (std::size_t layer = 0; layer < trial_.layers.size(); ++layer)
      for (std::size_t k = 0; arena_.in_strips(layer) && k < trial_.layers[layer].size(); ++k) {
        TriedKernel& tried = trial_.layers[layer][k];
        const auto scratch = arena_.scratch(layer, k);
        if (scratch)
          tried.scratch = *scratch;
        else
          tried.refused = "does not run in strips this low";
      }
  }

  static std::pair<std::string, std::string> differences(const TriedKernel& a,
                                                         const TriedKernel& b) {
    const double more = 100 * (static_cast<double>(b.work()) / static_cast<double>(a.work()) - 1);
    const auto bytes = static_cast<std::int64_t>(flash_of(b).count()) -
                       static_cast<std::int64_t>(flash_of(a).count());
    return {a.instructions ? fmt::format("executes {:.3g} % more instructions", more)
                           : fmt::format("slower by {:.3g} %", more),
            fmt::format("larger by {} bytes", bytes)};
  }

  void refuse_what_exceeds_ram() {
    if (!ram_limit_) return;
    const Picks smallest = arena_.smallest();
    for (std::size_t layer = 0; layer < trial_.layers.size(); ++layer)
      for (std::size_t k = 0; k < trial_.layers[layer].size(); ++k) {
        Picks picks = smallest;
        picks[layer] = k;
        TriedKernel& tried = trial_.layers[layer][k];
        if (k != smallest[layer] && tried.refused.empty() && !arena_.has_room(picks))
          tried.refused = over_ram(arena_.with(picks));
      }
  }

  std::string over_ram(Bytes arena) const {
    if (arena <= *ram_limit_) return "finds no place in the banks of the RAM";
    return fmt::format("exceeds the RAM{} by {} bytes",
                       ram_limit_ == trial_.ram_left ? "" : " budget",
                       (arena - *ram_limit_).count());
  }

  /// Those that ran; where none did, one that runs in strips, or the smallest, of which the linker
  /// then says how it misses.
  void find_options() {
    for (std::size_t layer = 0; layer < trial_.layers.size(); ++layer) {
      const auto& kernels = trial_.layers[layer];
      Options options;
      for (std::size_t k = 0; k < kernels.size(); ++k)
        if (kernels[k].ran() && kernels[k].refused.empty()) options.push_back(k);
      if (options.empty() && arena_.in_strips(layer)) options = untried_in_strips(layer);
      if (options.empty())
        options.push_back(static_cast<std::size_t>(
            std::ranges::min_element(kernels, {}, &TriedKernel::constants) - kernels.begin()));
      options_.push_back(std::move(options));
    }
  }

  /// The kernel of a layer that was too large to be tried as a whole: nothing tells the time of
  /// one, so that it is the first where time alone is asked for, and else the smallest.
  Options untried_in_strips(std::size_t layer) {
    auto& kernels = trial_.layers[layer];
    Options found;
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      if (!arena_.scratch(layer, k)) continue;
      kernels[k].refused = "the layer as a whole does not fit, in strips nothing was tried";
      found.push_back(k);
    }
    if (found.empty()) return found;
    if (goal_.optimize == Optimize::latency && !goal_.flash_budget) return {found.front()};
    return {
        *std::ranges::min_element(found, {}, [&](std::size_t k) { return kernels[k].constants; })};
  }

  Picks choose_by_cost() {
    std::vector<LayerCosts> costs;
    for (std::size_t layer = 0; layer < options_.size(); ++layer) {
      LayerCosts& layer_costs = costs.emplace_back();
      for (const std::size_t k : options_[layer]) {
        const TriedKernel& tried = trial_.layers[layer][k];
        // Under Linux instructions take the place of cycles, in all that is compared here.
        layer_costs.push_back({flash_of(tried), Cycles(tried.work())});
      }
    }
    const auto found = choose_costs_on_part(costs);
    Picks picks;
    for (std::size_t layer = 0; layer < options_.size(); ++layer)
      picks.push_back(options_[layer][found[layer]]);
    return picks;
  }

  /// The best within the part's flash and the user's budgets. Where the layers one by one exceed
  /// these, what comes nearest: how much it takes together shows when it is built and run.
  std::vector<std::size_t> choose_costs_on_part(const std::vector<LayerCosts>& costs) {
    ChoiceGoal wanted{goal_.optimize, least_of(goal_.flash_budget, trial_.flash_left), {}};
    // What the part has no flash for is small, however slow: the linker says how it misses.
    if (!trial_.flash_left || smallest_flash(costs) <= *trial_.flash_left)
      wanted.cycle_budget = cycle_budget_;
    const auto found = choose_costs(costs, wanted);
    within_budgets_ = found.has_value();
    return found ? *found : nearest_costs(costs, wanted);
  }

  static Bytes smallest_flash(const std::vector<LayerCosts>& costs) {
    Bytes sum;
    for (const LayerCosts& layer : costs)
      sum += std::ranges::min(layer, {}, &KernelCost::flash).flash;
    return sum;
  }

  /// Branches may place tensors worse than each layer alone needs: gives up the largest scratch
  /// that can be spared. False when there is nothing to do.
  bool drop_largest_scratch(const Picks& picks) {
    if (!ram_limit_) return false;
    if (arena_.has_room(picks)) return false;
    std::optional<std::size_t> largest;
    for (std::size_t layer = 0; layer < picks.size(); ++layer)
      if (options_[layer].size() > 1 && scratch(layer, picks) > least_scratch(layer) &&
          (!largest || scratch(layer, picks) > scratch(*largest, picks)))
        largest = layer;
    if (!largest) return false;
    trial_.layers[*largest][picks[*largest]].refused = over_ram(arena_.with(picks));
    std::erase(options_[*largest], picks[*largest]);
    return true;
  }

  Bytes scratch(std::size_t layer, const Picks& picks) const {
    return trial_.layers[layer][picks[layer]].scratch;
  }
  Bytes least_scratch(std::size_t layer) const {
    Bytes least = trial_.layers[layer][options_[layer].front()].scratch;
    for (const std::size_t k : options_[layer])
      least = std::min(least, trial_.layers[layer][k].scratch);
    return least;
  }

  Trial trial_;
  DeployGoal goal_;
  std::optional<Bytes> ram_limit_;
  std::optional<Cycles> cycle_budget_;
  KernelArena arena_;
  std::vector<Options> options_;
  bool within_budgets_ = true;
};

Json layer_json(const LayerView& view) {
  return {{"name", view.layer.name},
          {"op", to_string(view.layer.op)},
          {"shape", fmt::format("{} -> {}", shape_text(view.input), shape_text(view.output))},
          {"macc", view.layer.macs.count()}};
}

/// Says of a layer in int8 what smaller form its weights would have fitted.
void add_missed_form(const LayerView& view, const Core& core, Json& json) {
  const std::string missed = missed_form(view, core);
  if (json.at("form") == to_string(WeightForm::int8) && !missed.empty())
    json["int8_because"] = missed;
}

void add_kernel(const TriedKernel& tried, Json& json) {
  json["kernel"] = tried.kernel;
  json["form"] = to_string(tried.form);
  json["constant_bytes"] = tried.constants.count();
  json["scratch_bytes"] = tried.scratch.count();
  if (tried.code) json["code_bytes"] = tried.code->count();
  if (tried.cycles) json["modelled_cycles"] = tried.cycles->count();
  if (tried.instructions) json["instructions"] = tried.instructions->count();
}

constexpr const char* by_instructions =
    "kernels are compared by the instructions they execute, which are not time: loads and gathers "
    "may take longer than their share of them";

bool goes_by_instructions(const Trial& trial) {
  for (const auto& kernels : trial.layers)
    if (std::ranges::any_of(kernels, [](const auto& tried) { return bool(tried.instructions); }))
      return true;
  return false;
}

/// Under Linux, where memory is plenty, constants alone may decide.
bool goes_by_constants(const Core& core, Optimize optimize) {
  return core.linux_tools && optimize == Optimize::flash;
}

KernelChoice choose_untried(const IntegerGraph& graph, const Core& core, Optimize optimize) {
  KernelChoice choice;
  for (const IntegerLayer& layer : graph.layers) {
    const LayerView view(graph, layer);
    const auto rows = candidate_kernels(view, core);
    const auto smallest = std::ranges::min_element(
        rows, {}, [&](const KernelRow* row) { return deploy_layer(view, *row).constant_bytes; });
    choice.layers.push_back(goes_by_constants(core, optimize) ? *smallest : rows.front());
  }
  return choice;
}

/// The choice where nothing was tried.
Result<KernelSelection> untried_kernels(const IntegerGraph& graph, const Core& core,
                                        const std::string& notice, Optimize optimize) {
  KernelSelection selection;
  selection.notices = {(goes_by_constants(core, optimize)
                            ? "every layer has the kernel of the fewest constants: "
                            : "every layer has its first int8 kernel: ") +
                       notice};
  selection.layers = Json::array();
  ASSAY_TRY(const auto deployment, deploy(graph, &core, choose_untried(graph, core, optimize)));
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const DeployedLayer& deployed = deployment.layers[i];
    selection.choice.layers.push_back(deployed.kernel);
    Json json = layer_json({graph, graph.layers[i]});
    add_kernel({std::string(deployed.kernel->name),
                deployed.kernel->form,
                deployed.constant_bytes,
                deployed.scratch,
                {},
                {},
                {}},
               json);
    add_missed_form({graph, graph.layers[i]}, core, json);
    json["alternatives"] = Json::array();
    selection.layers.push_back(std::move(json));
  }
  return selection;
}

}  // namespace

Result<KernelSelection> select_kernels(const IntegerGraph& graph, const Core& core,
                                       const Trial& trial, const DeployGoal& goal, const Pace& pace,
                                       const RamLayout& ram) {
  if (!trial.notice.empty()) {
    if (goal.flash_budget || goal.latency_budget || goal.ram_budget)
      return fail(ErrorKind::bad_input,
                  fmt::format("a budget cannot be kept where no kernel can be tried, {}: leave "
                              "the budgets out",
                              trial.notice));
    return untried_kernels(graph, core, trial.notice, goal.optimize);
  }
  if (trial.layers.size() != graph.layers.size())
    return fail(ErrorKind::bad_input,
                fmt::format("the kernels of {} layers were tried, the network has {}",
                            trial.layers.size(), graph.layers.size()));
  Selector selector(graph, core, trial, goal, pace, ram);
  ASSAY_TRY(const Picks picks, selector.choose());
  KernelSelection selection;
  selection.layers = Json::array();
  for (std::size_t layer = 0; layer < picks.size(); ++layer) {
    const auto& kernels = selector.trial().layers[layer];
    selection.choice.layers.push_back(kernel_named(kernels[picks[layer]].kernel));
    Json json = layer_json({graph, graph.layers[layer]});
    add_kernel(kernels[picks[layer]], json);
    add_missed_form({graph, graph.layers[layer]}, core, json);
    json["alternatives"] = Json::array();
    for (std::size_t k = 0; k < kernels.size(); ++k) {
      if (k == picks[layer]) continue;
      Json other{{"why_not", selector.why_not(layer, picks[layer], k)}};
      add_kernel(kernels[k], other);
      json["alternatives"].push_back(std::move(other));
    }
    selection.layers.push_back(std::move(json));
  }
  if (goes_by_instructions(trial)) selection.notices.push_back(by_instructions);
  selection.within_budgets = selector.within_budgets();
  selection.tried = selector.cost_of(picks);
  if (selector.arena().strips()) selection.choice.strips = selector.arena().strips()->range;
  selection.strips = selector.arena().describe(picks, goal.ram_budget);
  if (!selection.strips.is_null()) selection.notices.push_back(strips_sentence(selection.strips));
  return selection;
}

}  // namespace assay
