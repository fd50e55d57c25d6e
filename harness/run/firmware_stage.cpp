#include "harness/run/firmware_stage.hpp"

#include <fmt/format.h>

#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "targets/build/firmware.hpp"
#include "targets/build/generate.hpp"
#include "targets/graph/lower.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

Metric counted_bytes(Bytes bytes) {
  return {static_cast<double>(bytes.count()), "B", Provenance::counted, {}};
}

Json layers_json(const GeneratedModel& model) {
  Json layers = Json::array();
  for (const auto& layer : model.layers)
    layers.push_back({{"name", layer.name},
                      {"kernel", layer.kernel},
                      {"macc", layer.macs.count()},
                      {"constant_bytes", layer.constants.count()},
                      {"scratch_bytes", layer.scratch.count()}});
  return layers;
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

Json build_json(const FirmwareImage& image, const GeneratedModel& model, const std::string& hash) {
  return {{"elf_sha256", image.sha256},
          {"build_id", image.build_id},
          {"model_sha256", hash},
          {"compiler", image.compiler},
          {"flags", image.flags},
          {"clock_hz", image.clock.count()},
          {"stack_reserve_bytes", image.stack_reserve.count()},
          {"arena_lower_bound_bytes", model.arena_lower_bound.count()},
          {"layers", layers_json(model)}};
}

}  // namespace

Status build_firmware_stage(const fs::path& model_path, const BoardType& board_type,
                            std::optional<Hertz> clock, const std::string& optimize,
                            const KernelChoice& kernels, const fs::path& directory,
                            std::stop_token stop) {
  ASSAY_TRY(const auto model, onnx::read_model(model_path));
  ASSAY_TRY(const auto graph, lower(model, model_path));
  ASSAY_TRY(const auto hash, sha256_file(model_path));
  FirmwareRequest request;
  ASSAY_TRY(request.model, generate(graph, &board_type.part.core, hash, kernels));
  request.board = board_type;
  request.clock = clock;
  request.optimize = optimize;
  request.output_directory = directory;
  const auto image = build_firmware(request, stop);
  if (!image && image.error().kind != ErrorKind::failed_verdict)
    return tl::unexpected(image.error());
  Json facts{{"fits", image.has_value()}, {"model_sha256", hash}};
  if (image) {
    facts["build"] = build_json(*image, request.model, hash);
    facts["metrics"] = to_json(size_metrics(*image, request.model));
  } else {
    facts["does_not_fit"] = image.error().message;
    facts["build"] = {{"model_sha256", hash}, {"layers", layers_json(request.model)}};
    facts["metrics"] = Json::object();
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
    ASSAY_TRY(facts.metrics, parse_metrics(object.raw("metrics"), path.string()));
  }
  ASSAY_CHECK(errors.status());
  return facts;
}

}  // namespace assay
