#include "harness/run/firmware_stage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
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
};

/// Builds with the kernels that a goal asks for.
class Builder {
 public:
  Builder(const FirmwareOrder& order, const IntegerGraph& graph, const Trial& trial,
          const std::string& hash, const fs::path& directory)
      : order_(order), graph_(graph), trial_(trial), hash_(hash), directory_(directory) {}

  /// What calls the layers, and what fills up between their constants, no trial counts: an image
  /// may take more than a flash budget that its layers keep. Then they are chosen for so much
  /// less, as long as there are such. It may take less, too: what is built is judged, and no sum.
  Result<Built> build_within_budget(std::stop_token stop) const {
    DeployGoal goal = order_.goal;
    ASSAY_TRY(Built built, build(goal, stop));
    for (Bytes excess = excess_of(built); excess > Bytes(0); excess = excess_of(built)) {
      if (excess > *goal.flash_budget || !built.selection.within_budgets) break;
      goal.flash_budget = *goal.flash_budget - excess;
      // What is built already stands, where fewer bytes of flash leave no room in RAM.
      const auto smaller = select(goal);
      if (!smaller || !smaller->within_budgets) break;
      ASSAY_TRY(built, build(goal, stop));
    }
    return built;
  }

 private:
  Result<KernelSelection> select(const DeployGoal& goal) const {
    const Part& part = order_.board_type.part;
    return select_kernels(graph_, part.core, trial_, goal, order_.pace,
                          ram_layout(part, FirmwareRequest().stack_reserve));
  }

  Result<Built> build(const DeployGoal& goal, std::stop_token stop) const {
    Built built;
    ASSAY_TRY(built.selection, select(goal));
    FirmwareRequest request;
    const Part& part = order_.board_type.part;
    ASSAY_TRY(request.model, generate(graph_, &part.core, hash_, built.selection.choice,
                                      ram_layout(part, request.stack_reserve)));
    request.board = order_.board_type;
    request.clock = order_.pace.clock;
    request.compiler_level = order_.compiler_level;
    request.output_directory = directory_;
    auto image = build_firmware(request, std::move(stop));
    built.model = std::move(request.model);
    if (image)
      built.image = std::move(*image);
    else if (image.error().kind == ErrorKind::failed_verdict)
      built.does_not_fit = image.error().message;
    else
      return tl::unexpected(image.error());
    return built;
  }

  /// Bytes above the user's flash budget.
  Bytes excess_of(const Built& built) const {
    if (!order_.goal.flash_budget || !built.image) return Bytes(0);
    const Bytes flash = built.image->rom_weights + built.image->rom_code;
    return flash > *order_.goal.flash_budget ? flash - *order_.goal.flash_budget : Bytes(0);
  }

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
            Builder(order, graph, trial, hash, directory).build_within_budget(std::move(stop)));
  Json facts{{"fits", built.image.has_value()},
             {"model_sha256", hash},
             {"build", build_json(order, built.selection, graph, hash)},
             {"metrics", Json::object()},
             {"notices", built.selection.notices}};
  if (built.image) {
    add_image(*built.image, built.model, facts["build"]);
    facts["metrics"] = to_json(size_metrics(*built.image, built.model));
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
