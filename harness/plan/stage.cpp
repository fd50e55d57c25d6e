#include "harness/plan/stage.hpp"

#include <array>
#include <filesystem>

#include "code_versions.hpp"
#include "harness/core/hash.hpp"

namespace assay {

std::string_view to_string(StageKind kind) {
  constexpr std::array words{"train",    "logits",   "evaluate-float",
                             "quantize", "evaluate", "firmware"};
  return words[static_cast<std::size_t>(kind)];
}

bool runs_in_worker(StageKind kind) {
  return kind != StageKind::evaluate && kind != StageKind::firmware;
}

std::string code_version(StageKind kind) {
  if (kind == StageKind::evaluate) return ASSAY_CODE_VERSION_EVALUATE;
  if (kind == StageKind::firmware) return ASSAY_CODE_VERSION_FIRMWARE;
  return ASSAY_CODE_VERSION_TRAIN;
}

std::string measurement_code_version(bool virtual_board) {
  return virtual_board ? ASSAY_CODE_VERSION_MEASURE ASSAY_CODE_VERSION_VIRTUAL
                       : ASSAY_CODE_VERSION_MEASURE;
}

namespace {

/// The versioned file name behind a library's link: "libopenblasp-r0.3.21.so".
std::string library_file(const char* path) {
  std::error_code code;
  const auto real = std::filesystem::canonical(path, code);
  return code ? std::string("absent") : real.filename().string();
}

}  // namespace

Json training_environment() {
  return {{"torch", library_file(ASSAY_TORCH_LIBRARY)}, {"blas", library_file(ASSAY_BLAS_LIBRARY)}};
}

std::string stage_key(const Stage& stage, const std::vector<Stage>& stages, const Json& facts) {
  Json inputs = Json::object();
  for (const auto& input : stage.inputs)
    inputs[input.name] = {{"key", stages.at(input.stage).key}, {"file", input.file}};
  return sha256_hex(canonical_json({{"kind", to_string(stage.kind)},
                                    {"settings", stage.settings},
                                    {"inputs", inputs},
                                    {"code", code_version(stage.kind)},
                                    {"facts", facts}}));
}

}  // namespace assay
