#include "harness/run/firmware_stage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/run/kernel_selection.hpp"
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

}  // namespace

Status build_firmware_stage(const FirmwareOrder& order, const fs::path& directory,
                            std::stop_token stop) {
  ASSAY_TRY(const auto model, onnx::read_model(order.model));
  ASSAY_TRY(const auto graph, lower(model, order.model));
  ASSAY_TRY(const auto hash, sha256_file(order.model));
  ASSAY_TRY(const auto trial, read_trial(order.trial));
  const Core& core = order.board_type.part.core;
  FirmwareRequest request;
  const RamLayout ram = ram_layout(order.board_type.part, request.stack_reserve);
  ASSAY_TRY(const auto selection, select_kernels(graph, core, trial, order.goal, order.clock, ram));
  ASSAY_TRY(request.model, generate(graph, &core, hash, selection.choice, ram));
  request.board = order.board_type;
  request.clock = order.clock;
  request.compiler_level = order.compiler_level;
  request.output_directory = directory;
  const auto image = build_firmware(request, stop);
  if (!image && image.error().kind != ErrorKind::failed_verdict)
    return tl::unexpected(image.error());
  Json facts{{"fits", image.has_value()},
             {"model_sha256", hash},
             {"build", build_json(order, selection, graph, hash)},
             {"metrics", Json::object()},
             {"notices", selection.notices}};
  if (image) {
    add_image(*image, request.model, facts["build"]);
    facts["metrics"] = to_json(size_metrics(*image, request.model));
  } else {
    facts["does_not_fit"] = image.error().message;
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

}  // namespace assay
