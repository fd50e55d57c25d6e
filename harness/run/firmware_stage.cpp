#include "harness/run/firmware_stage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "boards/station/desk.hpp"
#include "boards/station/lock.hpp"
#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/median.hpp"
#include "harness/run/bench_graph.hpp"
#include "harness/run/trial_stage.hpp"
#include "targets/build/firmware.hpp"
#include "targets/build/generate.hpp"
#include "targets/build/ram_layout.hpp"
#include "targets/graph/lower.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

Metric counted_bytes(Bytes bytes) {
  return {static_cast<double>(bytes.count()), "B", Provenance::counted, {}};
}

Metrics size_metrics(const FirmwareImage& image, const GeneratedModel& model) {
  return {{"rom_bytes", counted_bytes(image.rom)},
          {"rom_weights_bytes", counted_bytes(image.rom_weights)},
          {"rom_code_bytes", counted_bytes(image.rom_code)},
          {"rom_runtime_bytes", counted_bytes(image.rom_runtime)},
          {"ram_arena_bytes", counted_bytes(image.ram_arena)},
          {"ram_static_bytes", counted_bytes(image.ram_static)},
          {"macc", {static_cast<double>(model.macs.count()), "", Provenance::counted, {}}}};
}

/// How the model has the weights of its layers: "int8", "float16", "float32, float16".
std::string stored_weights(const IntegerGraph& graph) {
  std::set<std::string_view> forms;
  for (const IntegerLayer& layer : graph.layers)
    if (has_weights(layer.op)) forms.insert(to_string(stored_form({graph, layer})));
  return fmt::format("{}", fmt::join(forms, ", "));
}

/// What is known of every build; the rest needs an image.
Json build_json(const FirmwareOrder& order, const KernelSelection& selection,
                const IntegerGraph& graph, const std::string& hash) {
  Json build{{"model_sha256", hash},
             {"goal", to_json(order.goal)},
             {"arithmetic", arithmetic_of(graph)},
             {"weights", stored_weights(graph)},
             {"layers", selection.layers}};
  if (!selection.strips.is_null()) build["strips"] = selection.strips;
  return build;
}

void add_image(const FirmwareImage& image, const GeneratedModel& model, Json& build) {
  build["elf_sha256"] = image.sha256;
  build["build_id"] = image.build_id;
  build["compiler"] = image.compiler;
  build["flags"] = image.flags;
  build["clock_hz"] = image.clock.count();
  for (const GeneratedArena& arena : model.arenas)
    build["arenas"][arena.region] = arena.bytes.count();
  build["stack_reserve_bytes"] = image.stack_reserve.count();
  build["arena_lower_bound_bytes"] = model.arena_lower_bound.count();
}

/// The kernels of a model and the image they make, where it fits.
struct Built {
  KernelSelection selection;
  GeneratedModel model;
  std::optional<FirmwareImage> image;
  std::string does_not_fit;
  std::optional<Cycles> cycles;  ///< modelled, of an inference; where there is a latency budget
};

/// Builds with the kernels that a goal asks for.
class Builder {
 public:
  Builder(const FirmwareOrder& order, const IntegerGraph& graph, const Trial& trial,
          const std::string& hash, const fs::path& directory)
      : order_(order), graph_(graph), trial_(trial), hash_(hash), directory_(directory) {}

  /// What calls the layers, and what fills up between their constants, no trial counts: what is
  /// built may take more than a budget that its layers keep. Then they are chosen for less, and
  /// where nothing keeps that, what comes nearest; of all builds the best is kept. What is built
  /// may take less than its layers, too: it is judged, and no sum.
  Result<Built> build_within_budgets(std::stop_token stop) const {
    DeployGoal goal = order_.goal;
    ASSAY_TRY(auto selection, select(goal));
    ASSAY_TRY(Built last, build(std::move(selection), stop));
    Built best = last;
    bool stands = true;  // whether the folder holds the best
    for (int builds = 1; builds < most_builds && may_improve(last); ++builds) {
      goal = tightened(goal, last);
      // Smaller or faster kernels may find no room in the RAM.
      auto others = select(goal);
      if (!others || others->tried == last.selection.tried) break;
      ASSAY_TRY(last, build(std::move(*others), stop));
      stands = last.image && worst_share(last) < worst_share(best);
      if (stands) best = last;
    }
    if (stands) return best;
    return build(std::move(best.selection), std::move(stop));
  }

 private:
  Result<KernelSelection> select(const DeployGoal& goal) const {
    const Part& part = order_.board_type.part;
    return select_kernels(graph_, part.core, trial_, goal, order_.pace,
                          ram_layout(part, FirmwareRequest().stack_reserve));
  }

  Result<Built> build(KernelSelection selection, std::stop_token stop) const {
    Built built;
    built.selection = std::move(selection);
    FirmwareRequest request;
    const Part& part = order_.board_type.part;
    ASSAY_TRY(request.model, generate(graph_, &part.core, hash_, built.selection.choice,
                                      ram_layout(part, request.stack_reserve)));
    request.board = order_.board_type;
    request.clock = order_.pace.clock;
    request.compiler_level = order_.compiler_level;
    request.output_directory = directory_;
    auto image = build_firmware(request, stop);
    built.model = std::move(request.model);
    if (!image && image.error().kind != ErrorKind::failed_verdict)
      return tl::unexpected(image.error());
    if (!image) {
      built.does_not_fit = image.error().message;
      return built;
    }
    built.image = std::move(*image);
    if (order_.goal.latency_budget) {
      ASSAY_TRY(built.cycles, cycles_of(built, std::move(stop)));
    }
    return built;
  }

  /// The modelled cycles of an inference, on the virtual board of the part.
  Result<Cycles> cycles_of(const Built& built, std::stop_token stop) const {
    const Board board = implicit_virtual_board(order_.board_type);
    ASSAY_TRY(auto desk, Desk::open({board}, board_lock_folder()));
    const BenchOrder order{order_.model.string(), graph_, built.selection.choice, 1};
    ASSAY_TRY(const auto run, run_image(order, *built.image, hash_, board, desk, std::move(stop)));
    if (run.timing.cycles && !run.timing.cycles->empty()) return median(*run.timing.cycles);
    return fail(ErrorKind::infrastructure,
                fmt::format("{} counted no cycles of the network, so a latency budget cannot be "
                            "judged; leave it out",
                            board.name));
  }

  /// By how much a build exceeds the user's budgets.
  struct Excess {
    Bytes flash;
    Microseconds latency;
  };

  Excess excess_of(const Built& built) const {
    Excess excess{Bytes(0), Microseconds(0)};
    if (!built.image) return excess;
    const Bytes flash = built.image->rom_weights + built.image->rom_code;
    if (const auto most = order_.goal.flash_budget; most && flash > *most)
      excess.flash = flash - *most;
    if (built.cycles)
      excess.latency = std::max(excess.latency, order_.pace.time_of(as_double(*built.cycles)) -
                                                    *order_.goal.latency_budget);
    return excess;
  }

  /// The larger excess, as a share of its budget.
  double worst_share(const Built& built) const {
    const Excess excess = excess_of(built);
    double worst = 0;
    if (const auto most = order_.goal.flash_budget)
      worst = as_double(excess.flash) / std::max(1.0, as_double(*most));
    if (const auto most = order_.goal.latency_budget)
      worst = std::max(worst, excess.latency / *most);
    return worst;
  }

  /// Whether kernels that keep the budgets one by one exceed one together.
  bool may_improve(const Built& built) const {
    const Excess excess = excess_of(built);
    return built.selection.within_budgets &&
           (excess.flash > Bytes(0) || excess.latency > Microseconds(0));
  }

  /// Lowers the budgets that a build exceeds below what its kernels cost one by one, in the
  /// proportion in which it exceeds them.
  DeployGoal tightened(DeployGoal goal, const Built& built) const {
    const KernelCost& tried = built.selection.tried;
    const Excess excess = excess_of(built);
    if (excess.flash > Bytes(0)) {
      const Bytes most = *order_.goal.flash_budget;
      const double share = as_double(most) / as_double(most + excess.flash);
      goal.flash_budget = Bytes(static_cast<std::uint64_t>(share * as_double(tried.flash)));
    }
    if (excess.latency > Microseconds(0)) {
      const Microseconds most = *order_.goal.latency_budget;
      goal.latency_budget =
          most / (most + excess.latency) * order_.pace.time_of(as_double(tried.cycles));
    }
    return goal;
  }

  template <class Quantity>
  static double as_double(Quantity quantity) {
    return static_cast<double>(quantity.count());
  }

  /// One or two do, unless layers were tried under quite other circumstances.
  static constexpr int most_builds = 8;

  const FirmwareOrder& order_;
  const IntegerGraph& graph_;
  const Trial& trial_;
  const std::string& hash_;
  const fs::path& directory_;
};

}  // namespace

Status build_firmware_stage(const FirmwareOrder& order, const fs::path& directory,
                            std::stop_token stop) {
  ASSAY_TRY(const auto model, onnx::read_model(order.model));
  ASSAY_TRY(const auto graph, lower(model, order.model));
  ASSAY_TRY(const auto hash, sha256_file(order.model));
  ASSAY_TRY(const auto trial, read_trial(order.trial));
  ASSAY_TRY(const auto built,
            Builder(order, graph, trial, hash, directory).build_within_budgets(std::move(stop)));
  Json facts{{"fits", built.image.has_value()},
             {"model_sha256", hash},
             {"build", build_json(order, built.selection, graph, hash)},
             {"metrics", Json::object()},
             {"notices", built.selection.notices}};
  if (built.image) {
    add_image(*built.image, built.model, facts["build"]);
    facts["metrics"] = to_json(size_metrics(*built.image, built.model));
    if (built.cycles) facts["modelled_cycles"] = built.cycles->count();
  } else {
    facts["does_not_fit"] = built.does_not_fit;
  }
  return write_atomically(directory / "firmware.json", facts.dump(2));
}

Result<FirmwareFacts> read_firmware_facts(const fs::path& directory) {
  const auto path = directory / "firmware.json";
  ASSAY_TRY(const auto json, read_json_file(path));
  FirmwareFacts facts;
  JsonErrors errors(path.string());
  {
    JsonObject object(json, "", errors);
    facts.fits = object.required<bool>("fits");
    facts.does_not_fit = object.optional<std::string>("does_not_fit", "");
    facts.model_hash = object.required<std::string>("model_sha256");
    facts.build = object.raw("build");
    facts.build_id = facts.build.value("build_id", "");
    facts.notices = object.list<std::string>("notices");
    if (const auto cycles = object.maybe<std::uint64_t>("modelled_cycles"))
      facts.modelled_cycles = Cycles(*cycles);
    ASSAY_TRY(facts.metrics, parse_metrics(object.raw("metrics"), path.string()));
  }
  ASSAY_CHECK(errors.status());
  return facts;
}

Result<KernelSelection> selection_of(const FirmwareFacts& facts) {
  KernelSelection selection;
  selection.layers = facts.build.at("layers");
  selection.strips = facts.build.value("strips", Json());
  selection.notices = facts.notices;
  for (const Json& layer : selection.layers) {
    const auto name = layer.at("kernel").get<std::string>();
    selection.choice.layers.push_back(kernel_named(name));
    if (!selection.choice.layers.back())
      return fail(ErrorKind::bad_input,
                  fmt::format("there is no kernel {} that the firmware was built with", name));
  }
  if (selection.strips.is_null()) return selection;
  const std::size_t first = selection.strips.at("first");
  const std::size_t count = selection.strips.at("layers");
  selection.choice.strips = StripRange{first, first + count - 1, selection.strips.at("rows")};
  return selection;
}

}  // namespace assay
