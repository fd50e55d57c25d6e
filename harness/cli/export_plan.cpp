#include "harness/cli/export_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/cli/model_stages.hpp"
#include "harness/core/calibration_file.hpp"
#include "harness/core/interrupt.hpp"
#include "harness/run/firmware_stage.hpp"
#include "harness/run/preflight.hpp"
#include "harness/run/stage_runner.hpp"
#include "targets/build/firmware.hpp"
#include "targets/build/ram_layout.hpp"
#include "targets/pack/strip_deployment.hpp"

namespace assay::cli {
namespace {

RamLayout layout_of(const Part& part) {
  return ram_layout(part, FirmwareRequest().stack_reserve);
}

/// Chooses kernels and generates the code, remembering what it has looked up.
class Planner {
 public:
  explicit Planner(const ExportOrder& order)
      : order_(order), part_(order.type.part), cache_(order.cache) {}

  Result<ExportPlan> run() {
    if (const auto refused = refused_budgets(order_.goal, part_); !refused.empty())
      return fail(ErrorKind::bad_input, refused);
    ASSAY_TRY(const auto calibration, load_calibration(order_.store, part_));
    pace_ = pace_of(part_, order_.type.clock, calibration);
    ASSAY_TRY(const auto stages, firmware_stages(order_.type, pace_, order_.goal, order_.hash));
    ASSAY_CHECK(try_kernels(stages));
    ExportPlan plan;
    const bool as_built = order_.goal.flash_budget || order_.goal.latency_budget;
    ASSAY_TRY(plan.selection, as_built ? choose_as_built(stages) : choose());
    ASSAY_TRY(plan.model, generate(order_.graph, &part_.core, order_.hash, plan.selection.choice,
                                   layout_of(part_)));
    ASSAY_CHECK(check_constants(plan.model));
    ASSAY_CHECK(check_arena(plan.model));
    return plan;
  }

 private:
  Result<std::filesystem::path> ensure(const Stage& stage) {
    const StageProgress quiet = [](double, const std::string&) {};
    return ensure_stage(cache_, stage, inputs_, quiet, install_interrupt_handler());
  }

  Status try_kernels(const FirmwareStages& stages) {
    if (!cache_.has(stages.trial))
      ASSAY_CHECK(preflight(cache_, {&stages.trial}, {}, !part_.runs_linux()));
    announce_trial(cache_, stages, order_.type);
    inputs_ = {{"model", order_.model}};
    ASSAY_TRY(const auto folder, ensure(stages.trial));
    inputs_["trial"] = folder / "trial.json";
    ASSAY_TRY(trial_, read_trial(inputs_["trial"]));
    return {};
  }

  Result<KernelSelection> choose() const {
    return select_kernels(order_.graph, part_.core, trial_, order_.goal, pace_, layout_of(part_));
  }

  Result<KernelSelection> choose_as_built(const FirmwareStages& stages) {
    ASSAY_TRY(const auto built, ensure(stages.firmware));
    ASSAY_TRY(const auto facts, read_firmware_facts(built));
    if (!facts.fits) return fail(ErrorKind::failed_verdict, facts.does_not_fit);
    ASSAY_TRY(auto selection, selection_of(facts));
    GoalFigures figures = goal_figures(facts.metrics);
    if (facts.modelled_cycles)
      figures.latency = pace_.time_of(static_cast<double>(facts.modelled_cycles->count()));
    if (const auto missed = missed_goal(order_.goal, figures); !missed.empty())
      return fail(ErrorKind::failed_verdict, missed);
    return selection;
  }

  Status check_constants(const GeneratedModel& model) const {
    if (part_.runs_linux() || model.weight_bytes <= part_.flash().size) return {};
    return fail(ErrorKind::failed_verdict,
                fmt::format("the constants take {} bytes, and {} has {} bytes of flash: it does "
                            "not fit",
                            model.weight_bytes.count(), part_.title, part_.flash().size.count()));
  }

  Status check_arena(const GeneratedModel& model) const {
    const auto budget = order_.goal.ram_budget;
    if (budget && model.arena_bytes > *budget)
      return fail(ErrorKind::failed_verdict, over_budget(model.arena_bytes, *budget));
    if (part_.runs_linux()) return {};
    if (!model.has_room) return no_room_in_banks(model);
    const Bytes room = trial_.ram_left.value_or(part_.ram().size);
    if (!model.arenas.empty() || model.arena_bytes <= room) return {};
    return fail(ErrorKind::failed_verdict,
                fmt::format("the arena takes {} bytes, and {} has room for {} bytes in its RAM: it "
                            "does not fit, not with layers in strips either",
                            model.arena_bytes.count(), part_.title, room.count()));
  }

  tl::unexpected<Error> no_room_in_banks(const GeneratedModel& model) const {
    const auto banks = layout_of(part_).banks;
    const RamBank& largest = *std::ranges::max_element(banks, {}, &RamBank::size);
    return fail(ErrorKind::failed_verdict,
                fmt::format("the arena takes {} bytes, and the largest of {}'s {} banks of RAM, "
                            "{}, has {}: it does not fit, not over several banks or with layers "
                            "in strips either",
                            model.arena_bytes.count(), part_.title, banks.size(), largest.region,
                            largest.size.count()));
  }

  const ExportOrder& order_;
  const Part& part_;
  StageCache cache_;
  Pace pace_{};
  std::map<std::string, std::filesystem::path> inputs_;
  Trial trial_;
};

}  // namespace

Result<ExportPlan> plan_export(const ExportOrder& order) {
  return Planner(order).run();
}

}  // namespace assay::cli
